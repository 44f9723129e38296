//! One test, two databases.
//!
//! ```text
//! both! {
//!     /// A payout is found again by its id.
//!     async fn a_payout_is_found(db: TestDb) { … }
//! }
//! ```
//!
//! becomes `a_payout_is_found::sqlite` and `a_payout_is_found::postgres`.

use std::{fs, path::PathBuf, time::Duration};

use counterfoil::db::{Db, Engine, Options};
use tokio::sync::OnceCell;

use super::{postgres, proxy::Proxy, scratch};

/// A migrated, empty database that no other test sees; gone when this value is.
pub(crate) struct TestDb {
    pub(crate) url: String,
    pub(crate) engine: Engine,
    home: Home,
}

enum Home {
    Directory(PathBuf),
    Server(
        #[expect(dead_code, reason = "held so that its Drop runs with ours")] postgres::Database,
    ),
}

/// For callers on a broken line, each of whom waits for so long: enough for a busy machine to connect.
pub(crate) const SHORT_PATIENCE: Duration = Duration::from_secs(1);

impl TestDb {
    /// The open database, with the options of a default server.
    pub(crate) async fn open(&self) -> Db {
        Db::connect(&self.url, &Options::default()).await.expect("the test's database opens")
    }

    pub(crate) async fn sqlite() -> Self {
        static TEMPLATE: OnceCell<PathBuf> = OnceCell::const_new();
        let template = TEMPLATE
            .get_or_init(|| async {
                let directory = scratch::directory("template");
                migrate(sqlite_url(&directory)).await;
                directory
            })
            .await;
        let directory = scratch::directory("db");
        // With its write-ahead log, should the migration have left one.
        for entry in fs::read_dir(template).expect("the template is ours") {
            let entry = entry.expect("the template is ours");
            fs::copy(entry.path(), directory.join(entry.file_name())).expect("there is room");
        }
        Self {
            url: sqlite_url(&directory),
            engine: Engine::Sqlite,
            home: Home::Directory(directory),
        }
    }

    pub(crate) async fn postgres() -> Self {
        let database = postgres::database(migrate).await;
        Self { url: database.url.clone(), engine: Engine::Postgres, home: Home::Server(database) }
    }

    /// One that is reached over a line which can fail.
    pub(crate) async fn postgres_on_a_line() -> (Self, Proxy) {
        let mut test = Self::postgres().await;
        let port = postgres::shared().port();
        let line = Proxy::to(port);
        test.url = test.url.replace(&format!(":{port}/"), &format!(":{}/", line.port));
        (test, line)
    }
}

impl Drop for TestDb {
    fn drop(&mut self) {
        if let Home::Directory(directory) = &self.home {
            // What is left, if anything, goes with the process.
            let _ = fs::remove_dir_all(directory);
        }
    }
}

fn sqlite_url(directory: &std::path::Path) -> String {
    format!("sqlite://{}/counterfoil.db", directory.display())
}

/// Brings one database up to date, then lets go of it.
async fn migrate(url: String) {
    let db = Db::connect(&url, &Options::default()).await.expect("the fresh database opens");
    db.migrate().await.expect("an empty database can be migrated");
    db.close().await;
}

/// Runs each test on SQLite and on PostgreSQL, each time with a [`TestDb`] of its own.
macro_rules! both {
    ($($(#[$note:meta])* async fn $name:ident($db:ident: TestDb) $body:block)+) => {
        $(
            $(#[$note])*
            async fn $name($db: $crate::support::both::TestDb) $body

            mod $name {
                use $crate::support::both::TestDb;

                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn sqlite() {
                    super::$name(TestDb::sqlite().await).await;
                }

                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn postgres() {
                    super::$name(TestDb::postgres().await).await;
                }
            }
        )+
    };
}
pub(crate) use both;

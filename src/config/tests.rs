//! The rules of the configuration as a whole. Each value's own rules are tested beside its parser.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use super::reader::Reader;
use super::*;

/// A file that lives as long as its test.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str, content: &str) -> Self {
        let path = std::env::temp_dir().join(format!("counterfoil-{}-{name}", std::process::id()));
        std::fs::write(&path, content).unwrap();
        Self(path)
    }

    fn sources(&self) -> Sources {
        Sources { file: Some(self.0.clone()), ..Sources::none() }
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

fn fault(sources: &Sources) -> String {
    Config::load(sources).expect_err("this configuration must be refused").to_string()
}

fn production() -> Sources {
    Sources::none()
        .variable("COUNTERFOIL_ENVIRONMENT", "production")
        .variable("COUNTERFOIL_PUBLIC_URL", "https://pay.example")
        .variable("COUNTERFOIL_DATABASE_URL", "postgres://u:p@db/counterfoil")
        .variable("COUNTERFOIL_KEYS_DIR", "/var/lib/counterfoil/keys")
        .variable("COUNTERFOIL_KEYS__ENCRYPTION_KEY", &"0a".repeat(32))
        .variable("COUNTERFOIL_METRICS__LISTEN", "127.0.0.1:9090")
}

#[test]
fn nothing_given_is_a_sandbox() {
    let config = Config::load(&Sources::none()).unwrap();
    assert_eq!(config.environment, Environment::Sandbox);
    assert_eq!(config.listen.to_string(), "127.0.0.1:8080");
    assert_eq!(config.public_url.as_str(), "http://127.0.0.1:8080");
    assert_eq!(config.database_url.expose(), "sqlite://data/counterfoil.db");
    assert_eq!(config.keys_dir, PathBuf::from("keys"));
    assert!(config.redis_url.is_none());
    assert!(!config.webhooks.allow_loopback);
    assert_eq!(config.oauth.token_lifetime, Duration::from_hours(8));
    assert_eq!(config.oauth.issuer, config.public_url);
}

#[test]
fn file_then_variable_then_flag_win() {
    let file =
        Scratch::new("precedence", "listen = \"127.0.0.1:1\"\n[http]\nbody_limit = \"1KiB\"\n");
    let sources = file.sources();
    assert_eq!(Config::load(&sources).unwrap().listen.port(), 1);
    let sources = sources.variable("COUNTERFOIL_LISTEN", "127.0.0.1:2");
    assert_eq!(Config::load(&sources).unwrap().listen.port(), 2);
    let sources = sources.flag("listen", Some("127.0.0.1:3"));
    let config = Config::load(&sources).unwrap();
    assert_eq!(config.listen.port(), 3);
    assert_eq!(
        config.public_url.as_str(),
        "http://127.0.0.1:3",
        "the default follows the listener"
    );
    assert_eq!(config.http.body_limit, 1024, "what nobody overrides stays");
}

#[test]
fn the_file_is_named_by_flag_then_variable_and_a_named_one_must_exist() {
    let by_flag = Scratch::new("by-flag", "listen = \"127.0.0.1:1\"");
    let by_variable = Scratch::new("by-variable", "listen = \"127.0.0.1:2\"");
    let variable = by_variable.0.display().to_string();
    let only_variable = Sources::none().variable("COUNTERFOIL_CONFIG", &variable);
    assert_eq!(Config::load(&only_variable).unwrap().listen.port(), 2);
    let both = by_flag.sources().variable("COUNTERFOIL_CONFIG", &variable);
    assert_eq!(Config::load(&both).unwrap().listen.port(), 1);

    let missing = Sources { file: Some("no-such-file.toml".into()), ..Sources::none() };
    assert!(fault(&missing).contains("no-such-file.toml: the configuration file cannot be read"));
    let unusual = Sources { usual_file: Some("no-such-file.toml".into()), ..Sources::none() };
    assert!(Config::load(&unusual).is_ok(), "the usual file may be missing");
}

#[test]
fn an_unknown_key_is_refused_with_its_line_and_the_nearest_name() {
    let file =
        Scratch::new("unknown", "lisen = \"x\"\n\n[http]\nbody_limt = \"1KiB\"\n[htp]\nx = 1\n");
    let fault = fault(&file.sources());
    let path = file.0.display();
    assert!(
        fault.contains(&format!("{path} line 1: there is no key `lisen`; did you mean `listen`?")),
        "{fault}"
    );
    assert!(
        fault.contains(&format!(
            "{path} line 4: there is no key `http.body_limt`; did you mean `http.body_limit`?"
        )),
        "{fault}"
    );
    assert!(fault.contains("line 6: there is no key `htp.x`"), "{fault}");
}

#[test]
fn an_unknown_variable_is_refused_with_the_nearest_variable() {
    let fault = fault(&Sources::none().variable("COUNTERFOIL_HTTP__BODY_LIMT", "1KiB"));
    assert!(fault.contains("the variable COUNTERFOIL_HTTP__BODY_LIMT: there is no such setting; did you mean COUNTERFOIL_HTTP__BODY_LIMIT?"), "{fault}");
}

#[test]
fn variables_of_others_and_empty_ones_are_passed_over() {
    let sources = Sources::none()
        .variable("PATH", "/bin")
        .variable("COUNTERFOIL_SERVICE_HOST", "10.0.0.1")
        .variable("COUNTERFOIL_PORT_8080_TCP_ADDR", "10.0.0.1")
        .variable("COUNTERFOIL_REDIS_URL", "");
    assert!(Config::load(&sources).unwrap().redis_url.is_none());
}

#[test]
fn a_wrong_type_is_told_with_place_key_and_what_is_wanted() {
    let file = Scratch::new("types", "[http]\nrequest_timeout = 30\n");
    let sources = file.sources().variable("COUNTERFOIL_JOBS__CONCURRENCY", "many");
    let fault = fault(&sources);
    assert!(fault.contains("line 2: `http.request_timeout` must be a duration"), "{fault}");
    assert!(fault.contains("the variable COUNTERFOIL_JOBS__CONCURRENCY: `jobs.concurrency` must be a whole number from 0 to 1024, not \"many\""), "{fault}");
}

#[test]
fn a_section_where_a_value_belongs_and_broken_toml_are_faults() {
    let file = Scratch::new("section", "[listen]\nport = 1\n");
    assert!(fault(&file.sources()).contains("`listen` must be an address and a port"));
    let file =
        Scratch::new("broken", "listen = \"127.0.0.1:1\"\nredis_url = \"redis://:hunter2@r\n");
    let fault = fault(&file.sources());
    assert!(fault.contains("line 2: not TOML"), "{fault}");
    assert!(!fault.contains("hunter2"), "a broken line may hold a secret: {fault}");
}

#[test]
fn a_secret_comes_from_a_file_and_both_ways_at_once_are_refused() {
    let secret = Scratch::new("secret", "redis://:hunter2@redis:6379\n");
    let path = secret.0.display().to_string();
    let by_file = Sources::none().variable("COUNTERFOIL_REDIS_URL_FILE", &path);
    let config = Config::load(&by_file).unwrap();
    assert_eq!(config.redis_url.unwrap().expose(), "redis://:hunter2@redis:6379");

    let both = by_file.variable("COUNTERFOIL_REDIS_URL", "redis://other");
    assert!(fault(&both).contains("set either `redis_url` or `redis_url_file`, not both"));

    let file = Scratch::new("weaker", "redis_url = \"redis://weaker\"\n");
    let stronger = file.sources().variable("COUNTERFOIL_REDIS_URL_FILE", &path);
    let config = Config::load(&stronger).unwrap();
    assert_eq!(config.redis_url.unwrap().expose(), "redis://:hunter2@redis:6379");

    let gone = Sources::none().variable("COUNTERFOIL_REDIS_URL_FILE", "no-such-secret");
    assert!(fault(&gone).contains("`redis_url_file` must be the path of a readable file"));
}

#[test]
fn neither_debug_nor_a_fault_shows_a_secret() {
    let secrets = production()
        .variable("COUNTERFOIL_DATABASE_URL", "postgres://u:hunter2@db/counterfoil")
        .variable("COUNTERFOIL_REDIS_URL", "rediss://:hunter2@redis");
    let shown = format!("{:?}", Config::load(&secrets).unwrap());
    assert!(!shown.contains("hunter2") && !shown.contains("10, 10, 10"), "{shown}");
    assert!(shown.contains("***"));

    let wrong = Sources::none()
        .variable("COUNTERFOIL_DATABASE_URL", "mysql://u:hunter2@db/x")
        .variable("COUNTERFOIL_PUBLIC_URL", "https://u:hunter2@pay.example")
        .variable("COUNTERFOIL_OTLP__ENDPOINT", "https://u:hunter2@traces.example")
        .variable("COUNTERFOIL_REDIS_URL", "http://hunter2")
        .variable("COUNTERFOIL_KEYS__ENCRYPTION_KEY", "hunter2");
    let fault = fault(&wrong);
    assert_eq!(fault.matches("must be").count(), 5, "{fault}");
    assert!(!fault.contains("hunter2"), "{fault}");
}

#[test]
fn settings_that_contradict_each_other_are_refused() {
    let half = Sources::none().variable("COUNTERFOIL_HTTP__TLS_CERT", "/c.pem");
    assert!(fault(&half).contains("`http.tls_cert` is set and `http.tls_key` is not"));
    let short = Sources::none().variable("COUNTERFOIL_OAUTH__REPLAY_RETENTION", "2m");
    assert!(fault(&short).contains("must be longer than twice `oauth.proof_window`"));
    let redis = Sources::none().variable("COUNTERFOIL_OAUTH__REPLAY_STORE", "redis");
    assert!(fault(&redis).contains("set `redis_url` too"));
    let postgres = Sources::none().variable("COUNTERFOIL_OAUTH__REPLAY_STORE", "postgres");
    assert!(fault(&postgres).contains("`database_url` is not"));
}

#[test]
fn a_shared_replay_store_is_taken_as_soon_as_there_is_one() {
    let store = |sources: Sources| Config::load(&sources).unwrap().oauth.replay_store;
    let postgres = Sources::none().variable("COUNTERFOIL_DATABASE_URL", "postgres://u@db/x");
    let redis = postgres.clone().variable("COUNTERFOIL_REDIS_URL", "redis://r");
    assert_eq!(store(Sources::none()), ReplayStore::Memory);
    assert_eq!(store(postgres), ReplayStore::Postgres);
    assert_eq!(store(redis), ReplayStore::Redis);
}

#[test]
fn production_names_every_default_that_is_only_safe_in_a_sandbox() {
    let bare = Sources::none().variable("COUNTERFOIL_ENVIRONMENT", "production");
    let fault = fault(&bare);
    for key in ["public_url", "database_url", "keys_dir", "keys.encryption_key", "metrics.listen"] {
        assert_eq!(
            fault.matches(&format!("production refuses `{key}`")).count(),
            1,
            "{key}: {fault}"
        );
    }
    assert_eq!(fault.matches("production refuses").count(), 5, "{fault}");
}

#[test]
fn production_starts_once_they_are_set_and_lives_by_its_own_defaults() {
    let config = Config::load(&production()).unwrap();
    assert_eq!(config.oauth.token_lifetime, Duration::from_hours(1));
    let sqlite =
        production().variable("COUNTERFOIL_DATABASE_URL", "sqlite:///var/lib/counterfoil.db");
    assert!(Config::load(&sqlite).is_ok(), "one machine with SQLite is a fair production");
}

#[test]
fn production_refuses_each_thing_that_is_unsafe_there() {
    for (variable, value, key) in [
        ("PUBLIC_URL", "http://pay.example", "public_url"),
        ("PUBLIC_URL", "https://localhost", "public_url"),
        ("EXTRA_PUBLIC_URLS", "https://a.example,http://b.example", "extra_public_urls"),
        ("OAUTH__ISSUER", "http://pay.example", "oauth.issuer"),
        ("OAUTH__REPLAY_STORE", "memory", "oauth.replay_store"),
        ("OAUTH__ARGON2_MEMORY", "8MiB", "oauth.argon2_memory"),
        ("OAUTH__ARGON2_ITERATIONS", "1", "oauth.argon2_memory"),
        ("PAYOUTS__RAIL", "sandbox", "payouts.rail"),
        ("WEBHOOKS__ALLOW_LOOPBACK", "true", "webhooks.allow_loopback"),
    ] {
        let sources = production().variable(&format!("COUNTERFOIL_{variable}"), value);
        let fault = fault(&sources);
        assert!(fault.contains(&format!("production refuses `{key}`")), "{variable}: {fault}");
        let staging = sources.variable("COUNTERFOIL_ENVIRONMENT", "staging");
        assert!(Config::load(&staging).is_ok(), "{variable} is for production only");
    }
}

#[test]
fn the_example_documents_exactly_the_keys_the_code_reads() {
    let mut reader = Reader::new(Layers::default());
    let _ = Config::read(&mut reader);
    let read: BTreeSet<_> =
        reader.asked.iter().map(|asked| (asked.key.to_owned(), asked.has_default)).collect();
    let documented: BTreeSet<_> =
        catalogue::known().iter().map(|known| (known.key.clone(), known.has_default)).collect();
    assert_eq!(read, documented, "code on the left, counterfoil.example.toml on the right");
}

#[test]
fn the_example_shows_the_defaults_of_the_code() {
    let example = Scratch::new("example", EXAMPLE);
    let shown = format!("{:#?}", Config::load(&example.sources()).unwrap());
    let defaults = format!("{:#?}", Config::load(&Sources::none()).unwrap());
    assert_eq!(shown, defaults, "the example on the left, the code on the right");
    let sqlite = Config::load(&example.sources()).unwrap();
    assert_eq!(sqlite.database_url.expose(), "sqlite://data/counterfoil.db");
}

#[test]
fn the_samples_of_the_example_are_values_the_code_takes() {
    // One of each pair of twins, or they would contradict each other.
    let uncommented: Vec<_> = EXAMPLE
        .lines()
        .filter(|line| !line.starts_with('#') || !line.contains("_file = "))
        .map(|line| match line.strip_prefix('#') {
            Some(sample) if !sample.starts_with(' ') => sample,
            _ => line,
        })
        .collect();
    let all = Scratch::new("samples", &uncommented.join("\n"));
    let config = Config::load(&all.sources()).unwrap();
    assert!(config.redis_url.is_some() && config.keys.encryption_key.is_some());
}

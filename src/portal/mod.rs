//! The merchant's pages: sign-in, credentials, team, and what happens.
//!
//! Rendered on the server with `maud`, which escapes whatever is put into a page; no build step, no
//! inline script or style, and a CSP that allows neither.
//!
//! # How a page is added
//!
//! 1. **A folder**, `src/portal/NAME/`, with `view.rs` (a function from what is shown to `Markup`),
//!    `http.rs` (handlers) and, where something is changed, `service.rs` and `store.rs`. `src/portal/overview` is
//!    the smallest example, `src/portal/team` one with forms.
//! 2. **Routes**: `pub(in crate::portal) fn routes(pages: Pages) -> Pages` with `.get(path, needs, handler)` and
//!    `.post(path, needs, handler)`, called in `src/portal/http.rs`. There is no route without [`frame::Needs`]; the role
//!    matrix in `tests/it/portal/roles.rs` walks over every route there is, so a new one is tested from
//!    its first minute. An id in a path goes into the table of `tests/it/portal/strangers.rs`.
//! 3. **A right**, if none fits: one line in `users::Right` and one in the table beneath it.
//! 4. **A place in the navigation**: one line in `NAV`, `src/portal/frame/layout.rs`.
//! 5. **Handlers** take `State<Portal>` and `Asked`: `asked.person()?.merchant` is the merchant of every query,
//!    `asked.field("name")` a field of the form, `asked.page(nav, title, &markup)` the answer. After a change answer
//!    `Reply::See(path)`; with a fault show the form again, with what was typed, `.refused(&failure)`.
//! 6. **Forms** begin with `(csrf(&asked.form_token()))`. The gate refuses a form without it before any handler
//!    sees it; scripts send it as `X-CSRF-Token`.
//! 7. **The trail**: whatever changes something calls [`trail::record`] in the transaction of the change.
//! 8. **Style**: the classes in `assets/style.css` (`card`, `tiles`, `empty`, `badge`, `scroll`, `notice`, `head`, `actions`). No
//!    `style=`, no `onclick=`: the CSP refuses both.
//! 9. Add the page to the list in `tests/it/portal/browser/tour.rs`: axe-core and `make gallery` go there too.

pub mod account;
pub mod beneficiaries;
pub mod credentials;
pub mod events;
pub mod exports;
pub mod frame;
mod housekeeping;
pub mod http;
pub mod links;
pub mod mail;
pub mod names;
pub mod overview;
pub mod passkeys;
pub mod payouts;
pub mod prices;
pub mod proofs;
pub mod quotes;
pub mod requests;
mod room;
pub mod sessions;
pub mod sign_in;
pub mod team;
pub mod totp;
pub mod trail;
pub mod users;
pub mod webhooks;

pub use housekeeping::Housekeeping;
pub use room::{Parts, Portal, Rooms};

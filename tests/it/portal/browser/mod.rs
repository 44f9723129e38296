//! The pages in headless Chromium: what only a browser can tell.

mod approvals;
mod deliveries;
mod driver;
mod journeys;
mod passkeys;
mod tour;

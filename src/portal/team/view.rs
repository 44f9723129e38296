//! What the team and its trail look like.

use maud::{Markup, html};

use crate::{
    base::{failure::Failure, pagination::Page, timestamp::Timestamp},
    portal::{
        frame::{ago, csrf, download, fault_of, faults, moment, notice, short},
        trail::{Action, Line},
        users::{Person, Role, UserStatus},
    },
    web::query::Query,
};

/// An invitation that was just made.
pub(super) struct Handed {
    pub(super) email: String,
    /// What is to be handed over, when no letter brings it.
    pub(super) link: Option<String>,
}

/// What was typed into the invitation, and what is wrong with it.
type Typed<'a> = ((&'a str, &'a str), Option<&'a Failure>);

pub(super) fn team(
    team: &[Person],
    own: &Person,
    token: &str,
    done: &str,
    handed: Option<&Handed>,
    typed: Typed<'_>,
    now: Timestamp,
) -> Markup {
    html! {
        div.head { div { h1 { "Team" } p.sub { "Who may sign in here, and what each may do." } } (download("/portal/team.csv", &Query::default())) }
        @match done {
            "role" => (notice("good", "The role is changed; it counts from their next click.")),
            "removed" => (notice("good", "They are removed, and signed out everywhere.")),
            _ => {},
        }
        @if let Some(handed) = handed { (handed_over(handed)) }
        section {
            div.scroll tabindex="0" role="region" aria-label="Team" {
                table {
                    thead { tr { th { "Person" } th { "Status" } th { "Codes" } th { "Last sign-in" } th { "Role" } th { span.sub { "Remove" } } } }
                    tbody { @for person in team { (row(person, own, token, now)) } }
                }
            }
        }
        section.card { h2 { "Invite somebody" } (invitation(own, token, typed)) }
        section aria-labelledby="roles" { h2 #roles { "What each role may do" }
            dl.facts { @for role in Role::ALL { dt { strong { (role.as_str()) } } dd { (role.about()) } } }
        }
    }
}

fn handed_over(handed: &Handed) -> Markup {
    html! {
        @match &handed.link {
            None => (notice("good", &format!("An invitation is on its way to {}.", handed.email))),
            Some(link) => {
                (notice("warn", &format!("No mail server is set up, so hand this link to {} yourself. It works once, for three days.", handed.email)))
                div.secret data-copy="the link" { code #invitation { (link) } }
            },
        }
    }
}

fn row(person: &Person, own: &Person, token: &str, now: Timestamp) -> Markup {
    let handles = own.role.may_handle(person.role);
    let path = format!("/portal/team/{}", person.id);
    html! {
        tr {
            td { strong { (person.shown()) } @if person.id == own.id { " " span.badge { "you" } }
                @if !person.name.is_empty() { p.sub { (person.email) } } }
            td { span.badge.(person.status.as_str()) { (person.status.as_str()) } }
            td { @if person.totp_since.is_some() { span.badge.on { "on" } } @else { span.sub { "off" } } }
            td { @match person.signed_in_at { Some(at) => (ago(at, now)), None => span.sub { "never" } } }
            td { @if handles {
                form.inline method="post" action=(format!("{path}/role")) {
                    (csrf(token))
                    select name="role" aria-label=(format!("Role of {}", person.shown())) { (roles(own, person.role)) }
                    button { "Change" }
                }
            } @else { (person.role.as_str()) } }
            td { @if handles && person.status != UserStatus::Removed {
                form method="post" action=(format!("{path}/remove")) data-ask=(format!("Remove {}?", person.shown())) {
                    (csrf(token))
                    button.bad aria-label=(format!("Remove {}", person.shown())) { "Remove" }
                }
            } }
        }
    }
}

fn roles(own: &Person, chosen: Role) -> Markup {
    html! {
        @for role in Role::ALL.iter().filter(|role| own.role.may_handle(**role)) {
            option value=(role.as_str()) selected[*role == chosen] { (role.as_str()) }
        }
    }
}

fn invitation(own: &Person, token: &str, ((email, role), failure): Typed<'_>) -> Markup {
    html! {
        (faults(failure))
        form method="post" action="/portal/team/invite" {
            (csrf(token))
            div.inline {
                div {
                    label for="email" { "E-mail address" }
                    input #email type="email" name="email" required maxlength="254" value=(email) autocomplete="off"
                        aria-describedby=[failure.map(|_| "email-fault")];
                    (fault_of(failure, "email"))
                }
                div {
                    label for="role" { "Role" }
                    select #role name="role" { (roles(own, Role::parse(role).unwrap_or(Role::Developer))) }
                    (fault_of(failure, "role"))
                }
                button.primary { "Invite" }
            }
        }
    }
}

pub(super) fn trail(lines: &Page<Line>, is_later: bool) -> Markup {
    html! {
        div.head { div { h1 { "Audit trail" } p.sub { "Everything that people have done here, the newest first. Nobody can change it." } } (download("/portal/trail.csv", &Query::default())) }
        section {
            @if lines.data.is_empty() {
                div.empty { p { strong { "There is nothing more." } } }
            } @else {
                div.scroll tabindex="0" role="region" aria-label="Audit trail" {
                    table {
                        thead { tr { th { "When" } th { "Who" } th { "What" } th { "From" } } }
                        tbody { @for line in &lines.data { (entry(line)) } }
                    }
                }
            }
        }
        p.actions {
            @if is_later { a.button href="/portal/trail" { "Newest" } }
            @if let Some(cursor) = &lines.next_cursor { a.button href=(format!("/portal/trail?cursor={cursor}")) rel="next" { "Older" } }
        }
    }
}

fn entry(line: &Line) -> Markup {
    let refused = line.action == Action::SignInRefused;
    html! {
        tr {
            td { (moment(line.at)) }
            td { (line.email) }
            td {
                @if refused { span.badge.refused { (line.action.about()) } } @else { (line.action.about()) }
                @if !line.subject.is_empty() { " " (short(&line.subject)) }
                @if !line.note.is_empty() { p.sub { (line.note) } }
            }
            td { code { (line.address) } }
        }
    }
}

//! What an import would change, decided before anything does.

use std::sync::Arc;

use serde_json::{Map, Value};

use crate::{
    base::{failure::FieldFault, ids::MerchantId, timestamp::Timestamp},
    money::Amount,
};

use super::{
    book::PlanBook,
    file::Draft,
    model::{Covers, Plan, PlanVersion},
};

/// What an import does to one plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Which plan.
    pub key: String,
    /// For whom.
    pub merchant: Option<MerchantId>,
    /// New, changed or the same.
    pub kind: ChangeKind,
    /// The version to save, with number and moment; the one there is when nothing changes.
    pub version: Arc<PlanVersion>,
}

/// New, changed or the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChangeKind {
    /// A plan that did not exist.
    New,
    /// A new version, with what differs from the last one.
    NewVersion(Vec<FieldChange>),
    /// Equal to the last version: nothing is saved, so that a file can be imported again.
    Unchanged,
}

/// One member that differs; absent members have no text.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct FieldChange {
    /// As in the file.
    pub field: String,
    /// As it was.
    pub old: Option<String>,
    /// As it will be.
    pub new: Option<String>,
}

/// Compares a checked file with the plans there are. Plans that the file does not name stay as
/// they are; one is retired by a version with `active = false`.
pub fn compare(
    book: &PlanBook,
    drafts: &[Draft],
    now: Timestamp,
) -> Result<Vec<Change>, Vec<FieldFault>> {
    let mut faults = Vec::new();
    let changes: Vec<Change> = drafts
        .iter()
        .enumerate()
        .map(|(place, draft)| {
            let current = book.all().find(|plan| plan.key == draft.key);
            change(current, draft, now, &mut |member, message| {
                faults.push(FieldFault {
                    field: format!("plans.{place}.{member}"),
                    message: message.to_owned(),
                });
            })
        })
        .collect();
    twins(book, &changes, &mut faults);
    if faults.is_empty() { Ok(changes) } else { Err(faults) }
}

fn change(
    current: Option<&Plan>,
    draft: &Draft,
    now: Timestamp,
    fault: &mut impl FnMut(&str, &str),
) -> Change {
    let latest = current.and_then(Plan::latest);
    if current.is_some_and(|plan| plan.merchant != draft.merchant) {
        fault("merchant", "must stay as it was: whom a plan is for never changes; use another key");
    }
    let fields = latest.map(|latest| differences(latest, &draft.version)).transpose();
    let fields = fields.unwrap_or_else(|error| {
        fault("key", &format!("names a plan that cannot be compared: {error}"));
        None
    });
    let (key, merchant) = (draft.key.clone(), draft.merchant);
    if let (Some(latest), Some([])) = (latest, fields.as_deref()) {
        let version = Arc::clone(latest);
        return Change { key, merchant, kind: ChangeKind::Unchanged, version };
    }
    let effective_from = draft.effective_from.unwrap_or(now);
    if effective_from < now {
        fault(
            "effective_from",
            "must not be in the past: quotes already given must stay explicable",
        );
    }
    let effective_from = match latest {
        Some(latest) if effective_from < latest.effective_from => {
            if draft.effective_from.is_some() {
                fault("effective_from", "must not be before the version that is already planned");
            }
            latest.effective_from
        }
        _ => effective_from,
    };
    let number = latest.map_or(1, |latest| latest.number + 1);
    let kind = fields.map_or(ChangeKind::New, ChangeKind::NewVersion);
    let version = Arc::new(PlanVersion { number, effective_from, ..draft.version.clone() });
    Change { key, merchant, kind, version }
}

fn differences(old: &PlanVersion, new: &PlanVersion) -> serde_json::Result<Vec<FieldChange>> {
    let members = |version| serde_json::from_value::<Map<_, _>>(serde_json::to_value(version)?);
    let (old, new) = (members(old)?, members(new)?);
    let text = |value: Option<&Value>| {
        value.map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned))
    };
    let mut names: Vec<&String> = old.keys().collect();
    names.extend(new.keys().filter(|name| !old.contains_key(*name)));
    names.retain(|name| old.get(*name) != new.get(*name));
    let changes = names.into_iter().map(|name| FieldChange {
        field: name.clone(),
        old: text(old.get(name)),
        new: text(new.get(name)),
    });
    Ok(changes.collect())
}

/// Two active plans that cover the same payments with the same priority: which one prices would
/// hang on the alphabet, so the import refuses.
fn twins(book: &PlanBook, changes: &[Change], faults: &mut Vec<FieldFault>) {
    let untouched =
        book.all().filter(|plan| changes.iter().all(|change| change.key != plan.key)).filter_map(
            |plan| plan.latest().map(|version| (plan.key.as_str(), plan.merchant, version)),
        );
    let after: Vec<_> = changes
        .iter()
        .map(|change| (change.key.as_str(), change.merchant, &change.version))
        .chain(untouched)
        .collect();
    for (place, (_, merchant, version)) in after.iter().take(changes.len()).enumerate() {
        let twin = after.iter().skip(place + 1).find(|(_, other_merchant, other)| {
            version.active
                && other.active
                && merchant == other_merchant
                && version.priority == other.priority
                && overlap(&version.covers, &other.covers)
        });
        if let Some((key, ..)) = twin {
            faults.push(FieldFault {
                field: format!("plans.{place}.priority"),
                message: format!(
                    "must differ from that of `{key}`, which covers the same payments"
                ),
            });
        }
    }
}

fn overlap(one: &Covers, other: &Covers) -> bool {
    let keys = |covers: &Covers| Covers { min_amount: None, max_amount: None, ..*covers };
    let open = |covers: &Covers| covers.min_amount.is_none() && covers.max_amount.is_none();
    let least = |covers: &Covers| covers.min_amount.map_or(0, Amount::minor);
    let most = |covers: &Covers| covers.max_amount.map_or(i64::MAX, Amount::minor);
    keys(one) == keys(other)
        && open(one) == open(other)
        && least(one) <= most(other)
        && least(other) <= most(one)
}

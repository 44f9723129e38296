//! The statements of plans. There is none that changes a version: the schema would refuse it.

use std::sync::Arc;

use crate::{
    base::{ids::MerchantId, timestamp::Timestamp},
    db::{self, DbError, Statement, Tx},
    pricing::PlanId,
};

use super::{Plan, PlanVersion, read_stored};

const INSERT_PLAN: &str = "INSERT INTO fee_plans (id, key, for_merchant, created_at_us)
    VALUES ($1, $2, $3, $4)";

const INSERT_VERSION: &str = "INSERT INTO fee_plan_versions
    (plan_id, number, effective_from_us, terms, created_at_us) VALUES ($1, $2, $3, $4, $5)";

/// Plans are what operators write by hand: hundreds. The bound is there to be noticed.
const PLANS: &str = "SELECT id, key, for_merchant, created_at_us FROM fee_plans
    ORDER BY key LIMIT 100000";

const VERSIONS: &str = "SELECT plan_id, number, effective_from_us, terms FROM fee_plan_versions
    ORDER BY plan_id, number LIMIT 1000000";

/// Every statement of this store, for the test that prepares them.
pub const STATEMENTS: &[Statement] = &[
    Statement::same(INSERT_PLAN),
    Statement::same(INSERT_VERSION),
    Statement::same(PLANS),
    Statement::same(VERSIONS),
];

pub(super) async fn insert_plan(tx: &mut Tx, plan: &Plan) -> Result<(), DbError> {
    let Plan { id, key, merchant, created_at, .. } = plan;
    db::exec!(tx, INSERT_PLAN, id, key, merchant, created_at)?;
    Ok(())
}

pub(super) async fn insert_version(
    tx: &mut Tx,
    plan: PlanId,
    version: &PlanVersion,
    now: Timestamp,
) -> Result<(), DbError> {
    let terms =
        serde_json::to_string(version).map_err(|error| DbError::unreadable("plan", error))?;
    let number = i64::from(version.number);
    db::exec!(tx, INSERT_VERSION, plan, number, version.effective_from, terms, now)?;
    Ok(())
}

db::row! {
    struct PlanRow {
        id: PlanId,
        key: String,
        for_merchant: Option<MerchantId>,
        created_at_us: Timestamp,
    }
}

db::row! {
    struct VersionRow {
        plan_id: PlanId,
        number: i64,
        effective_from_us: Timestamp,
        terms: String,
    }
}

impl VersionRow {
    fn read(&self) -> Result<PlanVersion, DbError> {
        let damaged = |why: String| DbError::unreadable("version of a plan", why);
        let number = u32::try_from(self.number).map_err(|error| damaged(error.to_string()))?;
        let terms =
            serde_json::from_str(&self.terms).map_err(|error| damaged(error.to_string()))?;
        read_stored(number, self.effective_from_us, &terms)
            .map_err(|faults| damaged(format!("{faults:?}")))
    }
}

/// Every plan with every version; the caller sees to it that both readings see one moment.
pub(super) async fn all(tx: &mut Tx) -> Result<Vec<Plan>, DbError> {
    let plans = db::all!(tx, PlanRow, PLANS)?;
    let mut plans: Vec<Plan> = plans
        .into_iter()
        .map(|PlanRow { id, key, for_merchant: merchant, created_at_us: created_at }| Plan {
            id,
            key,
            merchant,
            created_at,
            versions: Vec::new(),
        })
        .collect();
    plans.sort_unstable_by_key(|plan| plan.id);
    for row in db::all!(tx, VersionRow, VERSIONS)? {
        let place = plans.binary_search_by_key(&row.plan_id, |plan| plan.id);
        let plan = place.ok().and_then(|place| plans.get_mut(place));
        let plan =
            plan.ok_or_else(|| DbError::unreadable("version of a plan", "it has no plan"))?;
        plan.versions.push(Arc::new(row.read()?));
    }
    plans.sort_unstable_by(|one, other| one.key.cmp(&other.key));
    Ok(plans)
}

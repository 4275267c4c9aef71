//! The columns of each report, and a row of it as cells.

use crate::base::{PoolId, ProductId, Seats};
use crate::license::{Advice, HighWater, SeatRequest};
use crate::service::{
    AdviceRow, ClaimRow, ConsumptionRow, Freshness, LicenseRow, PoolState, ProductSeats, ReuseRow, SeatUse, Team, UnseatedRow,
    UsageRow,
};
use crate::shape::grid::{Column, Datum, count, words};

/// The license report; the header to the letter (R136).
pub const LICENSES: [Column; 6] = [
    ("", "org"),
    ("Name", "name"),
    ("User Limit", "user_limit"),
    ("Used", "used"),
    ("Remaining", "remaining"),
    ("Percentage Used", "percentage_used"),
];

/// A row of [`LICENSES`].
pub fn license(row: &LicenseRow) -> Vec<Datum> {
    vec![
        words(row.org.as_str()),
        words(row.name.as_str()),
        Datum::Number(row.limit.and_then(|limit| i64::try_from(limit).ok())),
        count(row.used),
        Datum::Balance(row.remaining()),
        Datum::Percent(row.percent()),
    ]
}

/// The claims report (R143).
pub const CLAIMS: [Column; 13] = [
    ("Claim", "claim"),
    ("Org Path", "org_path"),
    ("Product", "product"),
    ("Pool", "pool"),
    ("Person", "person"),
    ("State", "state"),
    ("Reasons", "reasons"),
    ("Since", "since"),
    ("Released", "released"),
    ("Because", "because"),
    ("Run", "run"),
    ("Last Activity", "last_activity"),
    ("Activity", "activity"),
];

/// A row of [`CLAIMS`].
pub fn claim(row: ClaimRow) -> Vec<Datum> {
    let ClaimRow {
        claim,
        org_path,
        product,
        pool,
        person,
        state,
        reasons,
        since,
        released,
        because,
        run,
        last_activity,
        activity,
    } = row;
    vec![
        count(claim),
        words(org_path),
        words(product),
        words(pool),
        words(person),
        words(state),
        words(reasons),
        Datum::At(Some(since)),
        Datum::At(released),
        Datum::Text(because.map(str::to_owned)),
        Datum::Number(run.and_then(|run| i64::try_from(run).ok())),
        Datum::At(last_activity),
        Datum::Text(activity.map(|activity| activity.word().to_owned())),
    ]
}

/// The dashboard (R141).
pub const DASHBOARD: [Column; 15] = [
    ("Product", "product"),
    ("Total Licensed", "total_licensed"),
    ("Currently Assigned", "currently_assigned"),
    ("Available", "available"),
    ("Usage Percentage", "usage_percentage"),
    ("Pending", "pending"),
    ("Held", "held"),
    ("Waiting", "waiting"),
    ("Suspended", "suspended"),
    ("Stage", "stage"),
    ("Status", "status"),
    ("Next Expiry", "next_expiry"),
    ("As Of", "as_of"),
    ("Snapshot", "snapshot"),
    ("Stale", "stale"),
];

/// A product of the dashboard.
pub fn product(row: &ProductSeats, freshness: Freshness) -> Vec<Datum> {
    let ProductSeats { product, total, assigned, available, pending, held, waiting, suspended, stage, compliance, expires } =
        row;
    let mut cells = vec![
        words(product.as_str()),
        Datum::Number(total.map(|total| i64::from(total.0))),
        count(assigned.0),
        Datum::Balance(available.map(|available| available.0)),
        Datum::Percent(row.percent()),
    ];
    cells.extend([pending, held, waiting, suspended].map(|seats| count(seats.0)));
    cells.extend([Datum::Text(stage.map(|stage| stage.word().to_owned())), words(compliance.word()), Datum::On(*expires)]);
    cells.extend(rests_on(freshness));
    cells
}

/// People who hold both of two products, as a row of the dashboard.
pub fn combined((one, other, people): &(ProductId, ProductId, u64), freshness: Freshness) -> Vec<Datum> {
    let mut cells = vec![words(format!("Combined: {one} + {other}")), Datum::Number(None), count(*people)];
    cells.extend(std::iter::repeat_n(Datum::Text(None), DASHBOARD.len() - 6));
    cells.extend(rests_on(freshness));
    cells
}

fn rests_on(freshness: Freshness) -> [Datum; 3] {
    let stale = if freshness.stale { "stale" } else { "" };
    [Datum::At(Some(freshness.as_of)), Datum::At(freshness.snapshot), words(stale)]
}

/// Consumption by team (R142).
pub const CONSUMPTION: [Column; 10] = [
    ("Pool", "pool"),
    ("Team", "team"),
    ("Title", "title"),
    ("Org", "org"),
    ("Purchased", "purchased"),
    ("Active", "active"),
    ("Pending", "pending"),
    ("Held", "held"),
    ("Unused", "unused"),
    ("Distinct in Teams", "distinct_in_teams"),
];

/// A pool or a team of it.
pub fn consumption(row: &ConsumptionRow) -> Vec<Datum> {
    let ConsumptionRow { pool, team, purchased, active, pending, held, unused, people_in_teams } = row;
    let of_team = |field: fn(&Team) -> &str| Datum::Text(team.as_ref().map(|team| field(team).to_owned()));
    vec![
        words(pool.as_str()),
        of_team(|team| &team.id),
        of_team(|team| &team.title),
        of_team(|team| team.org.as_str()),
        Datum::Number(purchased.map(|seats| i64::from(seats.0))),
        count(active.0),
        count(pending.0),
        count(held.0),
        Datum::Balance(unused.map(|unused| unused.0)),
        count(people_in_teams.0),
    ]
}

/// How pools stand (R145).
pub const COMPLIANCE: [Column; 8] = [
    ("Pool", "pool"),
    ("Product", "product"),
    ("Status", "status"),
    ("Limit", "limit"),
    ("Used", "used"),
    ("Available", "available"),
    ("Stage", "stage"),
    ("Next Expiry", "next_expiry"),
];

/// A pool and how it stands.
pub fn compliance(state: &PoolState) -> Vec<Datum> {
    vec![
        words(state.view.pool.as_str()),
        words(state.view.product.as_str()),
        words(state.compliance.word()),
        Datum::Number(state.view.allowance.seats.map(|seats| i64::from(seats.0))),
        count(state.view.used().0),
        Datum::Balance(state.view.balance.map(|balance| balance.0)),
        Datum::Text(state.conditions.stage.map(|stage| stage.word().to_owned())),
        Datum::On(state.expires()),
    ]
}

/// The people of license years (R81 to R83).
pub const REUSE: [Column; 10] = [
    ("Pool", "pool"),
    ("Product", "product"),
    ("Year From", "year"),
    ("Most Seats", "limit_max"),
    ("Most Used", "used_max"),
    ("Distinct People", "distinct"),
    ("Replacements", "replacements"),
    ("Most People Of A Seat", "people_max"),
    ("Allowed", "allowed"),
    ("Level", "level"),
];

/// A pool and the people of its license year.
pub fn reuse(row: &ReuseRow) -> Vec<Datum> {
    let ReuseRow { product, year, allowed, level } = row;
    vec![
        words(year.pool.as_str()),
        words(product.as_str()),
        Datum::On(Some(year.year)),
        count(year.allowance_max.0),
        count(year.used_max.0),
        count(year.distinct),
        count(year.replacements()),
        Datum::Number(year.people_max.map(i64::from)),
        count(*allowed),
        words(level.word()),
    ]
}

/// How seats are used (R144).
pub const USAGE: [Column; 7] = [
    ("Pool", "pool"),
    ("Product", "product"),
    ("Assigned", "assigned"),
    ("Recently Active", "recently_active"),
    ("Quiet", "quiet"),
    ("Inactive", "inactive"),
    ("Utilization", "utilization"),
];

/// How the seats of a pool are used; `unknown` where no feed tells.
pub fn usage(row: &UsageRow) -> Vec<Datum> {
    let UsageRow { pool, product, assigned, by_activity } = row;
    let seats = |of: fn(&SeatUse) -> Seats| match by_activity {
        Some(by_activity) => count(of(by_activity).0),
        None => words("unknown"),
    };
    vec![
        words(pool.as_str()),
        words(product.as_str()),
        count(assigned.0),
        seats(|by| by.recent),
        seats(|by| by.quiet),
        seats(|by| by.inactive),
        if by_activity.is_some() { Datum::Percent(row.utilization()) } else { words("unknown") },
    ]
}

/// What would help (R146).
pub const ADVICE: [Column; 7] = [
    ("Pool", "pool"),
    ("Recommendation", "recommendation"),
    ("Seats", "seats"),
    ("From", "from"),
    ("To", "to"),
    ("By", "by"),
    ("Cost", "cost"),
];

/// One recommendation.
pub fn advice(AdviceRow { pool, advice }: &AdviceRow) -> Vec<Datum> {
    let (mut seats, mut from, mut by, mut cost) = (None, None, None, None);
    match advice {
        Advice::RemoveInactive(n)
        | Advice::AdjustRoles(n)
        | Advice::Buy(n)
        | Advice::AcceptPending(n)
        | Advice::ReviewHeld(n) => seats = Some(n.0),
        Advice::Transfer { seats: n, from: pool } => (seats, from) = (Some(n.0), Some(pool.to_string())),
        Advice::UpgradeTier(tier) => (seats, cost) = (Some(tier.seats.0), tier.cost.clone()),
        Advice::RenewBy(day) => by = Some(*day),
    }
    let to = from.is_some().then(|| pool.to_string());
    vec![
        words(pool.as_str()),
        words(advice.word()),
        Datum::Number(seats.map(i64::from)),
        Datum::Text(from),
        Datum::Text(to),
        Datum::On(by),
        Datum::Text(cost),
    ]
}

/// Daily high-water marks (R149).
pub const HIGH_WATER: [Column; 6] = [
    ("Pool", "pool"),
    ("Day", "day"),
    ("Max Used", "max_used"),
    ("Min Available", "min_available"),
    ("Close Used", "close_used"),
    ("Close Available", "close_available"),
];

/// One date of a pool.
pub fn high_water((pool, mark): &(PoolId, HighWater)) -> Vec<Datum> {
    let HighWater { day, used_max, available_min, used_close, available_close } = mark;
    vec![
        words(pool.as_str()),
        Datum::On(Some(*day)),
        count(used_max.0),
        Datum::Balance(available_min.map(|balance| balance.0)),
        count(used_close.0),
        Datum::Balance(available_close.map(|balance| balance.0)),
    ]
}

/// People without a seat (R150).
pub const UNSEATED: [Column; 8] = [
    ("Person", "person"),
    ("Name", "name"),
    ("Product", "product"),
    ("Pool", "pool"),
    ("Reason", "reason"),
    ("Position", "position"),
    ("Since", "since"),
    ("Home", "home"),
];

/// Somebody without a seat.
pub fn unseated(row: UnseatedRow) -> Vec<Datum> {
    let UnseatedRow { person, name, product, pool, because, position, since, home } = row;
    vec![
        words(person),
        words(name),
        Datum::Text(product.map(|product| product.to_string())),
        Datum::Text(pool.map(|pool| pool.to_string())),
        words(because),
        Datum::Number(position.and_then(|position| i64::try_from(position).ok())),
        Datum::At(since),
        words(home),
    ]
}

/// Requests for more seats (R155).
pub const SEAT_REQUESTS: [Column; 9] = [
    ("Pool", "pool"),
    ("Seats", "seats"),
    ("Asked", "at"),
    ("By", "by"),
    ("Limit", "limit"),
    ("Used", "used"),
    ("Available", "available"),
    ("Waiting", "waiting"),
    ("Note", "note"),
];

/// A row of [`SEAT_REQUESTS`].
pub fn seat_request(row: &SeatRequest) -> Vec<Datum> {
    let SeatRequest { pool, seats, used, allowance, waiting, by, at, note } = row;
    vec![
        words(pool.as_str()),
        count(seats.0),
        Datum::At(Some(*at)),
        words(by.to_string()),
        Datum::Number(allowance.map(|seats| i64::from(seats.0))),
        count(used.0),
        Datum::Balance(row.available().map(|balance| balance.0)),
        count(waiting.0),
        words(note.as_str()),
    ]
}

#[cfg(test)]
mod tests {
    use crate::base::Instant;
    use crate::license::Activity;
    use crate::service::{ClaimRow, LicenseRow};
    use crate::shape::grid::{Column, Datum, csv_of, csv_row};
    use crate::shape::report::{CLAIMS, LICENSES, claim, license};

    fn csv_text(columns: &[Column], rows: &[Vec<Datum>]) -> String {
        let mut csv = csv_of(columns);
        rows.iter().for_each(|row| csv_row(&mut csv, columns, row));
        csv.take()
    }

    #[test]
    fn r136_the_license_report_is_to_the_letter() {
        let row = |name: &str, limit, used| license(&LicenseRow { org: "o".into(), name: name.into(), limit, used });
        let rows = [
            row("North, \"the\" district", Some(100), 130),
            row("=Ash", Some(0), 0),
            row("Birch", None, 7),
            row("-Cedar\nAnnex", Some(3), 1),
        ];
        assert_eq!(
            csv_text(&LICENSES, &rows),
            "Name,User Limit,Used,Remaining,Percentage Used\r\n\
             \"North, \"\"the\"\" district\",100,130,-30,130.0\r\n\
             '=Ash,0,0,0,\r\n\
             Birch,,7,,\r\n\
             \"'-Cedar\nAnnex\",3,1,2,33.3\r\n"
        );
        assert_eq!(csv_text(&LICENSES, &[]), "Name,User Limit,Used,Remaining,Percentage Used\r\n");
    }

    #[test]
    fn keys_that_look_like_formulas_are_neutralized_in_the_claims_report() {
        let row = ClaimRow {
            claim: 9,
            org_path: "d/ash".into(),
            product: "learn".into(),
            pool: "learn-main".into(),
            person: "-4711".into(),
            state: "active",
            reasons: "rule:a rule:b".into(),
            since: Instant(0),
            released: None,
            because: Some("entitled"),
            run: Some(3),
            last_activity: None,
            activity: Some(Activity::Unknown),
        };
        assert_eq!(
            csv_text(&CLAIMS, &[claim(row)]),
            "Claim,Org Path,Product,Pool,Person,State,Reasons,Since,Released,Because,Run,Last Activity,Activity\r\n\
             9,d/ash,learn,learn-main,'-4711,active,rule:a rule:b,1970-01-01T00:00:00Z,,entitled,3,,unknown\r\n"
        );
    }
}

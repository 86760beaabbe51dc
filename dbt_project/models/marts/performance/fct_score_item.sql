with evidence as (

    select * from {{ ref('fct_score_evidence') }}

),

reps as (

    select * from {{ ref('int_reps') }}

),

schemes as (

    select * from {{ ref('ref_score_scheme') }}

),

weights as (

    select * from {{ ref('ref_score_weight') }}

),

clock as (

    select {{ local_month(as_of()) }} as as_of_month

),

source_starts as (

    select * from {{ ref('int_score_sources') }}

),

rep_months as (

    select
        reps.rep_key,
        reps.team_key,
        cast(unnest(generate_series(
            cast(min(evidence.period_month) as timestamp),
            cast(case when reps.is_active then clock.as_of_month else max(evidence.period_month) end as timestamp),
            interval 1 month
        )) as date) as period_month
    from reps
    inner join evidence on reps.rep_key = evidence.rep_key
    cross join clock
    where reps.role = 'rep'
    group by reps.rep_key, reps.team_key, reps.is_active, clock.as_of_month

),

evidence_sums as (

    select
        period_month,
        rep_key,
        item,
        sum(numerator_value) as numerator,
        sum(denominator_value) as denominator,
        count(*) as n_evidence,
        count(*) - count(numerator_value) as n_evidence_without_value
    from evidence
    group by period_month, rep_key, item

),

possible_items as (

    select
        rep_months.period_month,
        rep_months.rep_key,
        rep_months.team_key,
        weights.*
    from rep_months
    inner join schemes
        on
            rep_months.period_month >= schemes.valid_from
            and (schemes.valid_to is null or rep_months.period_month < schemes.valid_to)
    inner join weights
        on
            schemes.scheme = weights.scheme
            and schemes.version = weights.version
            and schemes.active_template = weights.template
            and rep_months.period_month >= weights.valid_from
            and (weights.valid_to is null or rep_months.period_month < weights.valid_to)

),

-- what the items whose source had started could cover in a month, whoever the rep
reachable as (

    select
        possible_items.scheme,
        possible_items.period_month,
        possible_items.rep_key,
        schemes.min_coverage,
        sum(possible_items.weight) as coverage,
        bool_or(possible_items.component = 'result') as has_result
    from possible_items
    inner join schemes
        on
            possible_items.scheme = schemes.scheme
            and possible_items.version = schemes.version
    inner join source_starts
        on
            possible_items.item = source_starts.item
            and possible_items.period_month >= date_trunc('month', source_starts.started_on)
    group by possible_items.scheme, possible_items.period_month, possible_items.rep_key, schemes.min_coverage

),

-- cards start with the first month that can reach the minimum coverage, where none ever can with the first result item
first_months as (

    select
        scheme,
        coalesce(
            min(period_month) filter (where coverage >= min_coverage),
            min(period_month) filter (where has_result)
        ) as period_month
    from reachable
    group by scheme

),

scorecard as (

    select possible_items.*
    from possible_items
    inner join first_months
        on
            possible_items.scheme = first_months.scheme
            and possible_items.period_month >= first_months.period_month

),

measured as (

    select
        scorecard.*,
        coalesce(evidence_sums.n_evidence, 0) as n_evidence,
        coalesce(evidence_sums.n_evidence_without_value, 0) as n_evidence_without_value,
        coalesce(date_trunc('month', source_starts.started_on) > scorecard.period_month, true) as is_before_source,
        case
            when is_before_source then null
            when evidence_sums.n_evidence is null then 0
            else evidence_sums.numerator
        end as numerator,
        evidence_sums.denominator
    from scorecard
    left join source_starts on scorecard.item = source_starts.item
    left join evidence_sums
        on
            scorecard.period_month = evidence_sums.period_month
            and scorecard.rep_key = evidence_sums.rep_key
            and scorecard.item = evidence_sums.item

),

with_raw_value as (

    select
        *,
        case item
            when 'nps' then 100 * numerator / nullif(denominator, 0)
            when 'complaint_rate' then numerator / nullif(denominator, 0)
            else numerator
        end as raw_value
    from measured

),

normalised_items as (

    select
        *,
        case
            when raw_value is not null
                then 100 * greatest(0, least(1.2, (raw_value - floor_value) / (target_value - floor_value)))
        end as normalised,
        sum(weight) over card as card_weight,
        sum(weight) filter (where raw_value is not null) over card_component as known_component_weight,
        sum(weight) over card_component as component_weight
    from with_raw_value
    window
        card as (partition by period_month, rep_key, scheme),
        card_component as (partition by period_month, rep_key, scheme, component)

),

-- a missing item's weight goes to the known items of its component; a component with none, to the other components
known_components as (

    select
        period_month,
        rep_key,
        scheme,
        sum(weight) as known_weight
    from normalised_items
    where known_component_weight is not null
    group by period_month, rep_key, scheme

),

weighted as (

    select
        normalised_items.*,
        case
            when normalised_items.raw_value is not null
                then
                    normalised_items.weight
                    * (normalised_items.component_weight / normalised_items.known_component_weight)
                    * (normalised_items.card_weight / known_components.known_weight)
        end as effective_weight
    from normalised_items
    left join known_components
        on
            normalised_items.period_month = known_components.period_month
            and normalised_items.rep_key = known_components.rep_key
            and normalised_items.scheme = known_components.scheme

),

final as (

    select
        ---------- ids
        period_month,
        rep_key,
        team_key,
        scheme,
        version as scheme_version,
        template,
        component,
        item,

        ---------- numerics
        cast(numerator as decimal(18, 2)) as numerator,
        cast(denominator as decimal(18, 2)) as denominator,
        cast(raw_value as decimal(18, 4)) as raw_value,
        floor_value,
        target_value,
        direction,
        cast(normalised as decimal(9, 4)) as normalised,
        weight,
        cast(effective_weight as decimal(18, 10)) as effective_weight,
        cast(effective_weight * normalised as decimal(18, 8)) as points,
        cast(
            case direction when 'higher_better' then target_value - raw_value else raw_value - target_value end as decimal(18, 4)
        ) as gap_to_target,

        ---------- evidence
        raw_value is null as is_missing,
        case
            when raw_value is not null then null
            when is_before_source then 'the source has no rows up to this month'
            when numerator is null then 'no evidence row carries an amount'
            else 'nothing to divide by this month'
        end as missing_reason,
        cast(n_evidence as bigint) as n_evidence,
        cast(n_evidence_without_value as bigint) as n_evidence_without_value,
        {{ evidence_ref('fct_score_item', ['period_month', 'rep_key', 'scheme', 'item']) }} as evidence_ref
    from weighted

)

select * from final

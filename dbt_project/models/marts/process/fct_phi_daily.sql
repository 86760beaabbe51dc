with observations as (

    select * from {{ ref('fct_phi_observation') }}

),

reps as (

    select * from {{ ref('int_reps') }}

),

thresholds as (

    select * from {{ ref('ref_threshold') }}
    where regexp_full_match(threshold_code, 'PH-\d')

),

clock as (

    select
        {{ as_of() }} as as_of_at,
        {{ local_date(as_of()) }} as as_of_date,
        {{ local_date(as_of()) }} - {{ var('phi_days') }} + 1 as first_date

),

-- a day is measured at its end, the as-of day at the as-of time
days as (

    select
        clock.first_date + cast(day_numbers.range as integer) as phi_date,
        least({{ local_midnight('clock.first_date + cast(day_numbers.range as integer) + 1') }}, clock.as_of_at) as measured_at
    from clock
    cross join range({{ var('phi_days') }}) as day_numbers

),

codes as (

    select distinct threshold_code as dimension
    from thresholds

),

dimensions as (

    select
        days.phi_date,
        days.measured_at,
        codes.dimension,
        thresholds.lower_limit,
        thresholds.upper_limit
    from days
    cross join codes
    left join thresholds
        on
            codes.dimension = thresholds.threshold_code
            and {{ holds_on('thresholds', 'days.phi_date') }}

),

scopes as (

    select distinct
        unnest(['company', 'region', 'team']) as scope_type,
        unnest(['all', region, team_key]) as scope_id
    from reps
    union
    select
        'company' as scope_type,
        'all' as scope_id

),

-- a span counts from the first day that is measured in it until the last
spans as (

    select distinct
        observations.dimension,
        observations.part,
        observations.subject_key,
        unnest(['company', 'region', 'team']) as scope_type,
        unnest(['all', observations.region, observations.team_key]) as scope_id,
        greatest({{ local_date('observations.counts_from - interval 1 microsecond') }}, clock.first_date) as first_day,
        case
            when observations.counts_until > clock.as_of_at then clock.as_of_date + 1
            else {{ local_date('observations.counts_until - interval 1 microsecond') }}
        end as end_day
    from observations
    cross join clock
    where
        observations.counts_from <= clock.as_of_at
        and observations.counts_until > {{ local_midnight('clock.first_date') }}

),

-- a subject counts once a day: of each span only what no earlier one of the subject covers
uncovered_spans as (

    select
        scope_type,
        scope_id,
        dimension,
        part,
        greatest(first_day, coalesce(max(end_day) over earlier, first_day)) as first_day,
        end_day
    from spans
    where first_day < end_day and scope_id is not null
    window earlier as (
        partition by scope_type, scope_id, dimension, part, subject_key
        order by first_day, end_day
        rows between unbounded preceding and 1 preceding
    )

),

changes as (

    select
        scope_type,
        scope_id,
        dimension,
        unnest([first_day, end_day]) as phi_date,
        unnest([1, -1]) * cast(part = 'numerator' as integer) as numerator_change,
        unnest([1, -1]) * cast(part = 'denominator' as integer) as denominator_change
    from uncovered_spans
    where first_day < end_day

),

daily_changes as (

    select
        scope_type,
        scope_id,
        dimension,
        phi_date,
        sum(numerator_change) as numerator_change,
        sum(denominator_change) as denominator_change
    from changes
    group by scope_type, scope_id, dimension, phi_date

),

counted as (

    select
        dimensions.phi_date,
        dimensions.measured_at,
        scopes.scope_type,
        scopes.scope_id,
        dimensions.dimension,
        dimensions.lower_limit,
        dimensions.upper_limit,
        cast(coalesce(sum(daily_changes.numerator_change) over until_day, 0) as bigint) as numerator,
        cast(coalesce(sum(daily_changes.denominator_change) over until_day, 0) as bigint) as denominator
    from dimensions
    cross join scopes
    left join daily_changes
        on
            dimensions.phi_date = daily_changes.phi_date
            and scopes.scope_type = daily_changes.scope_type
            and scopes.scope_id = daily_changes.scope_id
            and dimensions.dimension = daily_changes.dimension
    where scopes.scope_id is not null
    window until_day as (
        partition by scopes.scope_type, scopes.scope_id, dimensions.dimension
        order by dimensions.phi_date
        rows between unbounded preceding and current row
    )

),

valued as (

    select
        phi_date,
        measured_at,
        scope_type,
        scope_id,
        dimension,
        numerator,
        denominator,
        {{ ratio('numerator', 'denominator') }} as value,
        lower_limit as threshold_lo,
        upper_limit as threshold_hi,
        -- only the newest update of a record is known: for a past day freshness can be understated, not overstated
        dimension = 'PH-5' and phi_date < {{ local_date(as_of()) }} as is_lower_bound
    from counted

),

judged as (

    select
        *,
        case
            when value is null or threshold_lo is null then null
            when value >= threshold_lo and value <= coalesce(threshold_hi, value) then false
            when is_lower_bound then null
            else true
        end as below
    from valued

),

-- the last day, up to each, that was not outside the limits
runs as (

    select
        *,
        max(case when below is distinct from true then phi_date end) over (
            partition by scope_type, scope_id, dimension
            order by phi_date
            rows between unbounded preceding and current row
        ) as last_day_within,
        min(phi_date) over () as first_day
    from judged

),

counted_runs as (

    select
        phi_date,
        measured_at,
        scope_type,
        scope_id,
        dimension,
        numerator,
        denominator,
        value,
        threshold_lo,
        threshold_hi,
        below,
        case
            when below then phi_date - coalesce(last_day_within, first_day - 1)
            else 0
        end as consecutive_below,
        is_lower_bound,
        {{ evidence_ref('fct_phi_daily', ['phi_date', 'scope_type', 'scope_id', 'dimension']) }} as evidence_ref
    from runs

)

select * from counted_runs

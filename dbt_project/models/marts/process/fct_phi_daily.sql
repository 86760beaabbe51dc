with observations as (

    select * from {{ ref('fct_phi_observation') }}

),

reps as (

    select * from {{ ref('int_reps') }}

),

thresholds as (

    select * from {{ ref('ref_threshold') }}

),

days as (

    select
        phi_date,
        least({{ local_midnight('phi_date + 1') }}, {{ as_of() }}) as measured_at
    from (
        select {{ local_date(as_of()) }} - cast(range as integer) as phi_date
        from range({{ var('phi_days') }})
    )

),

dimensions as (

    select
        threshold_code as dimension,
        lower_limit,
        upper_limit
    from thresholds
    where regexp_full_match(threshold_code, 'PH-\d')

),

scopes as (

    select
        'company' as scope_type,
        'all' as scope_id
    union all
    select distinct
        'region' as scope_type,
        region as scope_id
    from reps
    where region is not null
    union all
    select distinct
        'team' as scope_type,
        team_key as scope_id
    from reps
    where team_key is not null

),

counted as (

    select
        days.phi_date,
        observations.dimension,
        case
            when grouping(observations.team_key) = 0 then 'team'
            when grouping(observations.region) = 0 then 'region'
            else 'company'
        end as scope_type,
        case
            when grouping(observations.team_key) = 0 then observations.team_key
            when grouping(observations.region) = 0 then observations.region
            else 'all'
        end as scope_id,
        count(distinct observations.subject_key) filter (where observations.part = 'numerator') as numerator,
        count(distinct observations.subject_key) filter (where observations.part = 'denominator') as denominator
    from days
    inner join observations
        on
            days.measured_at >= observations.counts_from
            and days.measured_at < observations.counts_until
    group by grouping sets (
        (days.phi_date, observations.dimension),
        (days.phi_date, observations.dimension, observations.region),
        (days.phi_date, observations.dimension, observations.team_key)
    )

),

valued as (

    select
        days.phi_date,
        scopes.scope_type,
        scopes.scope_id,
        dimensions.dimension,
        coalesce(counted.numerator, 0) as numerator,
        coalesce(counted.denominator, 0) as denominator,
        {{ ratio('counted.numerator', 'counted.denominator') }} as value,
        dimensions.lower_limit as threshold_lo,
        dimensions.upper_limit as threshold_hi,
        -- only the newest update of a record is known: for a past day freshness can be understated, not overstated
        dimensions.dimension = 'PH-5' and days.phi_date < {{ local_date(as_of()) }} as is_lower_bound
    from days
    cross join scopes
    cross join dimensions
    left join counted
        on
            days.phi_date = counted.phi_date
            and scopes.scope_type = counted.scope_type
            and scopes.scope_id = counted.scope_id
            and dimensions.dimension = counted.dimension

),

judged as (

    select
        *,
        case
            when value is null then null
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
        is_lower_bound
    from runs

)

select * from counted_runs

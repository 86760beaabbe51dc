with opportunities as (

    select * from {{ ref('int_opportunities') }}

),

leads as (

    select * from {{ ref('int_leads') }}

),

visits as (

    select * from {{ ref('int_stage_visits') }}

),

first_visits as (

    select
        opportunity_key,
        min(entered_at) as first_entered_at,
        max(entered_at) filter (where outcome = 'won') as signed_at
    from visits
    group by opportunity_key

),

-- the first touch is the lead's, where the opportunity has one
won_deals as (

    select
        opportunities.opportunity_key,
        opportunities.pipeline,
        coalesce(opportunities.region, '(unknown)') as region,
        first_visits.signed_at,
        least(opportunities.created_at, leads.created_at, first_visits.first_entered_at) as first_touch_at
    from opportunities
    inner join first_visits on opportunities.opportunity_key = first_visits.opportunity_key
    left join leads on opportunities.lead_key = leads.lead_key
    where opportunities.is_won and first_visits.signed_at is not null

),

measured as (

    select
        *,
        {{ local_month('signed_at') }} as closed_month,
        {{ days_between('first_touch_at', 'signed_at') }} as cycle_days
    from won_deals

),

monthly as (

    select
        closed_month,
        case when grouping(pipeline) = 0 then pipeline else 'all' end as pipeline,
        case when grouping(region) = 0 then region else 'all' end as region,
        count(*) as n_won,
        sum(cycle_days) as total_cycle_days,
        avg(cycle_days) as mean_cycle_days,
        median(cycle_days) as median_cycle_days
    from measured
    group by grouping sets (
        (closed_month),
        (closed_month, pipeline),
        (closed_month, region),
        (closed_month, pipeline, region)
    )

)

select * from monthly

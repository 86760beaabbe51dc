with snapshots as (

    select * from {{ ref('int_forecast_snapshots') }}

),

origins as (

    select * from {{ ref('int_forecast_origins') }}

),

deals as (

    select * from {{ ref('int_forecast_deals') }}

)

select
    ---------- ids
    origins.origin_month,
    snapshots.opportunity_key,
    snapshots.rep_key,
    snapshots.team_key,
    snapshots.industry,
    snapshots.pipeline,
    snapshots.stage,
    snapshots.age_bucket,

    ---------- numerics
    cast(snapshots.age_days as decimal(18, 2)) as age_days,
    snapshots.is_zombie,
    snapshots.won_after_months,

    ---------- lineage
    deals.record_ref
from snapshots
inner join origins on snapshots.origin_no = origins.origin_no
inner join deals on snapshots.opportunity_key = deals.opportunity_key
where origins.origin_no > 0

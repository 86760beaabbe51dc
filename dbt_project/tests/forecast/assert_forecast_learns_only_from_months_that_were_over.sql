-- Spec 5.4: no hazard counts a win of the forecast's own month or later: its wins equal those dated before that month.
with origins as (

    select * from {{ ref('int_forecast_origins') }}

),

wins_known as (

    select
        hazards.origin_no,
        hazards.horizon,
        any_value(hazards.n_won) as n_won,
        count(snapshots.opportunity_key) as n_won_before
    from {{ ref('int_forecast_hazards') }} as hazards
    inner join origins on hazards.origin_no = origins.origin_no
    cross join {{ ref('int_forecast_snapshots') }} as snapshots
    inner join origins as trained on snapshots.origin_no = trained.origin_no
    inner join {{ ref('int_forecast_deals') }} as deals on snapshots.opportunity_key = deals.opportunity_key
    where
        hazards.hazard_level = 'base'
        and not snapshots.is_zombie
        and deals.is_won
        and trained.origin_no <= hazards.origin_no + 24
        and date_diff('month', trained.origin_month, deals.closed_month) = hazards.horizon
        and deals.closed_month < origins.origin_month
    group by hazards.origin_no, hazards.horizon

)

select * from wins_known
where n_won <> n_won_before

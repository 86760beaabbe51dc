with snapshots as (

    select * from {{ ref('int_forecast_snapshots') }}
    where not is_zombie

),

parameters as (

    select * from {{ ref('int_forecast_parameters') }}

),

cells as (

    select
        origin_no as trained_origin_no,
        pipeline,
        stage,
        age_bucket,
        industry,
        team_key,
        rep_key,
        won_after_months,
        count(*) as n_deals
    from snapshots
    group by origin_no, pipeline, stage, age_bucket, industry, team_key, rep_key, won_after_months

),

forecasts as (

    select
        origins.origin_no,
        cast(horizons.horizon as integer) as horizon
    from {{ ref('int_forecast_origins') }} as origins
    cross join parameters
    cross join unnest(generate_series(0, cast(parameters.max_horizon as bigint))) as horizons (horizon)
    where origins.origin_no <= parameters.backtest_months

),

-- origin_no counts months back: the label month of a training origin is over when it lies before the forecast's month
training as (

    select
        forecasts.origin_no,
        forecasts.horizon,
        cells.*,
        case when cells.won_after_months = forecasts.horizon then cells.n_deals else 0 end as n_won
    from forecasts
    cross join parameters
    inner join cells
        on
            cells.trained_origin_no >= forecasts.origin_no + forecasts.horizon + 1
            and cells.trained_origin_no <= forecasts.origin_no + parameters.history_months

),

final as (

    select
        origin_no,
        horizon,
        case grouping(pipeline, age_bucket, industry, team_key, rep_key)
            when 31 then 'base'
            when 15 then 'stage'
            when 7 then 'company'
            when 3 then 'industry'
            when 5 then 'team'
            when 6 then 'rep'
        end as hazard_level,
        pipeline,
        stage,
        age_bucket,
        coalesce(industry, team_key, rep_key) as member,
        cast(sum(n_deals) as bigint) as n_deals,
        cast(sum(n_won) as bigint) as n_won
    from training
    group by
        grouping sets (
            (origin_no, horizon),
            (origin_no, horizon, pipeline, stage),
            (origin_no, horizon, pipeline, stage, age_bucket),
            (origin_no, horizon, pipeline, stage, age_bucket, industry),
            (origin_no, horizon, pipeline, stage, age_bucket, team_key),
            (origin_no, horizon, pipeline, stage, age_bucket, rep_key)
        )

)

select * from final

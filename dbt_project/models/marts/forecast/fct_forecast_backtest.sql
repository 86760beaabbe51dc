with published as (

    select * from {{ ref('int_forecast_published') }}
    where origin_no > 0 and has_total and actual is not null

),

by_method as (

    select
        *,
        unnest(['published', 'pipeline', 'last_month', 'mean_3_months', 'same_month_last_year']) as method,
        unnest([published_value, pipeline_value, last_month, mean_3_months, same_month_last_year]) as forecast
    from published

),

final as (

    select
        ---------- ids
        origin_month,
        period_month,
        scope_type,
        scope_id,
        method,
        horizon,
        origin_at,

        ---------- numerics
        cast(forecast as decimal(18, 2)) as forecast,
        cast(actual as decimal(18, 2)) as actual,
        cast(forecast - actual as decimal(18, 2)) as signed_error,
        abs(forecast - actual) / nullif(abs(actual), 0) as ape,
        2 * abs(forecast - actual) / nullif(abs(forecast) + abs(actual), 0) as sape,
        case when actual <> 0 then abs(forecast - actual) <= 0.2 * abs(actual) end as in_20,
        case
            when method = 'published' and half_width is not null
                then abs(actual - forecast) <= half_width * forecast
        end as in_interval,

        ---------- how it came about
        pipeline_weight,
        simple_method,
        months_of_actuals,

        ---------- evidence
        {{ evidence_ref('fct_forecast_backtest', ['origin_month', 'period_month', 'scope_type', 'scope_id', 'method']) }}
            as evidence_ref
    from by_method
    where forecast is not null

)

select * from final

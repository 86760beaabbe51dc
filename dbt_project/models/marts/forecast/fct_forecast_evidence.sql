with origins as (

    select * from {{ ref('int_forecast_origins') }}

),

parts as (

    select * from {{ ref('int_forecast_parts') }}

),

sales as (

    select * from {{ ref('int_forecast_sales') }}

),

deals as (

    select * from {{ ref('int_forecast_deals') }}

),

parameters as (

    select * from {{ ref('int_forecast_parameters') }}

),

forecasts as (

    {{ forecasts_made('parameters.backtest_months') }}

),

pipeline_parts as (

    select
        forecasts.origin_month,
        forecasts.period_month,
        parts.*,
        cast(null as date) as sale_month
    from parts
    inner join forecasts
        on
            parts.origin_no = forecasts.origin_no
            and parts.horizon = forecasts.horizon

),

-- what a simple baseline repeats: of the running month only what came after the same point of the sale's own month
repeated_sales as (

    select
        forecasts.origin_month,
        forecasts.period_month,
        forecasts.horizon,
        date_diff('month', sales.sale_month, forecasts.origin_month) as months_back,
        sales.*
    from forecasts
    inner join sales
        on
            forecasts.origin_month > sales.sale_month
            and (
                sales.sale_month >= forecasts.origin_month - interval 3 month
                or (forecasts.horizon > 0 and sales.sale_month = forecasts.period_month - interval 12 month)
            )
    left join origins as sale_origins on sales.sale_month = sale_origins.origin_month
    where
        forecasts.horizon > 0
        or coalesce(sales.closed_at > sale_origins.origin_at, sales.ordered_date > sale_origins.origin_date)

),

simple_parts as (

    select
        *,
        unnest(
            case
                when months_back = 1 then ['mean_3_months', 'last_month']
                when months_back <= 3 then ['mean_3_months']
                else ['same_month_last_year']
            end
        ) as component,
        1 as share,
        amount_cny as value
    from repeated_sales

),

actual_parts as (

    select
        forecasts.origin_month,
        forecasts.period_month,
        forecasts.horizon,
        'actual' as component,
        1 as share,
        sales.amount_cny as value,
        sales.*
    from forecasts
    inner join sales on forecasts.period_month = sales.sale_month
    where sales.sale_month < {{ local_month(as_of()) }}

),

-- the outcomes that the gate of level 2 counts
gate_parts as (

    select
        origins.origin_month,
        origins.origin_month as period_month,
        0 as horizon,
        case when deals.is_won then 'outcome_won' else 'outcome_lost' end as component,
        deals.*
    from origins
    cross join parameters
    inner join deals
        on
            origins.origin_at >= deals.closed_at
            and deals.closed_at > origins.origin_at - to_months(cast(parameters.history_months as integer))
            and {{ days_between('deals.created_at', 'deals.closed_at') }} >= parameters.min_lifespan_days
    where origins.origin_no = 0

),

unioned as (

    select * from pipeline_parts
    union all by name
    select * from simple_parts
    union all by name
    select * from actual_parts
    union all by name
    select * from gate_parts

)

select
    ---------- ids
    origin_month,
    period_month,
    horizon,
    component,
    opportunity_key,
    order_key,
    rep_key,
    team_key,
    region,

    ---------- numerics
    cast(amount_cny as decimal(18, 2)) as amount_cny,
    cast(share as double) as share,
    cast(value as decimal(28, 8)) as value,
    coalesce(is_so_far, false) as is_so_far,

    ---------- dates
    sale_month,

    ---------- lineage
    record_ref
from unioned

with origins as (

    select * from {{ ref('int_forecast_origins') }}

),

deals as (

    select * from {{ ref('int_forecast_deals') }}

),

orders as (

    select * from {{ ref('int_forecast_orders') }}

),

win_chances as (

    select * from {{ ref('int_forecast_win_chances') }}

),

parameters as (

    select * from {{ ref('int_forecast_parameters') }}

),

forecasts as (

    -- three more than the backtest needs: what came after them is its simple baseline for the running month
    {{ forecasts_made('parameters.backtest_months + 3') }}

),

-- past origins whose own month + horizon was over at this origin: what came after them is known
sample_origins as (

    select
        forecasts.origin_no,
        forecasts.horizon,
        origins.origin_no as sample_no,
        origins.origin_at,
        origins.origin_date,
        cast(origins.origin_month + to_months(forecasts.horizon) as date) as sample_month,
        count(*) over (partition by forecasts.origin_no, forecasts.horizon) as n_samples
    from forecasts
    cross join parameters
    inner join origins
        on
            origins.origin_no > forecasts.origin_no + forecasts.horizon
            and origins.origin_no <= forecasts.origin_no + forecasts.horizon + parameters.new_deal_months

),

closed_so_far as (

    select
        forecasts.origin_no,
        forecasts.horizon,
        'closed' as component,
        deals.opportunity_key,
        null as order_key,
        deals.rep_key,
        deals.team_key,
        deals.region,
        deals.won_amount_cny as amount_cny,
        1 as share,
        deals.won_amount_cny as value,
        true as is_so_far,
        deals.record_ref
    from forecasts
    inner join deals
        on
            deals.is_won
            and forecasts.period_month = deals.closed_month
            and forecasts.origin_at >= deals.closed_at

),

open_deals as (

    select
        win_chances.origin_no,
        win_chances.horizon,
        'existing' as component,
        win_chances.opportunity_key,
        null as order_key,
        win_chances.rep_key,
        win_chances.team_key,
        win_chances.region,
        win_chances.amount_cny,
        win_chances.p_win as share,
        cast(win_chances.p_win * win_chances.amount_cny as decimal(28, 8)) as value,
        false as is_so_far,
        deals.record_ref
    from win_chances
    left join deals on win_chances.opportunity_key = deals.opportunity_key

),

deals_yet_to_come as (

    select
        sample_origins.origin_no,
        sample_origins.horizon,
        'new' as component,
        deals.opportunity_key,
        null as order_key,
        deals.rep_key,
        deals.team_key,
        deals.region,
        deals.won_amount_cny as amount_cny,
        1 / sample_origins.n_samples as share,
        cast(deals.won_amount_cny / sample_origins.n_samples as decimal(28, 8)) as value,
        false as is_so_far,
        deals.record_ref
    from sample_origins
    inner join deals
        on
            deals.is_won
            and sample_origins.sample_month = deals.closed_month
            and sample_origins.origin_at < deals.created_at

),

orders_so_far as (

    select
        forecasts.origin_no,
        forecasts.horizon,
        'recurring' as component,
        null as opportunity_key,
        orders.order_key,
        orders.rep_key,
        orders.team_key,
        orders.region,
        orders.amount_cny,
        1 as share,
        orders.amount_cny as value,
        true as is_so_far,
        orders.record_ref
    from forecasts
    inner join orders
        on
            forecasts.period_month = orders.ordered_month
            and forecasts.origin_date >= orders.ordered_date

),

orders_yet_to_come as (

    select
        sample_origins.origin_no,
        sample_origins.horizon,
        'recurring' as component,
        null as opportunity_key,
        orders.order_key,
        orders.rep_key,
        orders.team_key,
        orders.region,
        orders.amount_cny,
        1 / sample_origins.n_samples as share,
        cast(orders.amount_cny / sample_origins.n_samples as decimal(28, 8)) as value,
        false as is_so_far,
        orders.record_ref
    from sample_origins
    inner join orders
        on
            sample_origins.sample_month = orders.ordered_month
            and sample_origins.origin_date < orders.ordered_date

),

parts as (

    select * from closed_so_far
    union all
    select * from open_deals
    union all
    select * from deals_yet_to_come
    union all
    select * from orders_so_far
    union all
    select * from orders_yet_to_come

)

select * from parts

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

    select
        origins.*,
        cast(horizons.horizon as integer) as horizon,
        cast(origins.origin_month + to_months(cast(horizons.horizon as integer)) as date) as period_month
    from origins
    cross join parameters
    cross join unnest(generate_series(0, cast(parameters.max_horizon as bigint))) as horizons (horizon)
    -- three more than the backtest needs: what came after them is its simple baseline for the running month
    where origins.origin_no <= parameters.backtest_months + 3

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
        deals.rep_key,
        deals.team_key,
        deals.region,
        deals.won_amount_cny as value,
        deals.won_amount_cny as value_so_far,
        1 as n_deals,
        case when deals.won_amount_cny is null then 1 else 0 end as n_without_amount
    from forecasts
    inner join deals
        on
            deals.is_won
            and forecasts.period_month = deals.closed_month
            and forecasts.origin_at >= deals.closed_at

),

open_deals as (

    select
        origin_no,
        horizon,
        'existing' as component,
        rep_key,
        team_key,
        region,
        cast(p_win * amount_cny as decimal(28, 8)) as value,
        0 as value_so_far,
        1 as n_deals,
        case when amount_cny is null then 1 else 0 end as n_without_amount
    from win_chances

),

deals_yet_to_come as (

    select
        sample_origins.origin_no,
        sample_origins.horizon,
        'new' as component,
        deals.rep_key,
        deals.team_key,
        deals.region,
        cast(deals.won_amount_cny / sample_origins.n_samples as decimal(28, 8)) as value,
        0 as value_so_far,
        1 as n_deals,
        case when deals.won_amount_cny is null then 1 else 0 end as n_without_amount
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
        orders.rep_key,
        orders.team_key,
        orders.region,
        orders.amount_cny as value,
        orders.amount_cny as value_so_far,
        1 as n_deals,
        case when orders.amount_cny is null then 1 else 0 end as n_without_amount
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
        orders.rep_key,
        orders.team_key,
        orders.region,
        cast(orders.amount_cny / sample_origins.n_samples as decimal(28, 8)) as value,
        0 as value_so_far,
        1 as n_deals,
        case when orders.amount_cny is null then 1 else 0 end as n_without_amount
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

),

known_scopes as (

    select distinct
        rep_key,
        team_key,
        region
    from deals
    union
    select distinct
        rep_key,
        team_key,
        region
    from orders

),

{%- set scopes = {'company': "'company'", 'region': 'region', 'team': 'team_key', 'rep': 'rep_key'} %}

scopes as (
    {% for scope_type, scope_id in scopes.items() %}
        select distinct
            '{{ scope_type }}' as scope_type,
            {{ scope_id }} as scope_id
        from known_scopes
        {{ "union all" if not loop.last }}
    {%- endfor %}

),

scope_sums as (
    {% for scope_type, scope_id in scopes.items() %}
        select
            origin_no,
            horizon,
            component,
            '{{ scope_type }}' as scope_type,
            {{ scope_id }} as scope_id,
            sum(value) as value,
            sum(value_so_far) as value_so_far,
            sum(n_deals) as n_deals,
            sum(n_without_amount) as n_without_amount
        from parts
        group by origin_no, horizon, component, {{ scope_id }}
        {{ "union all" if not loop.last }}
    {%- endfor %}

),

-- null, not zero, where all that would count lacks an amount
components as (

    select unnest(['closed', 'existing', 'new', 'recurring']) as component

),

final as (

    select
        forecasts.origin_no,
        forecasts.origin_month,
        forecasts.origin_at,
        forecasts.horizon,
        forecasts.period_month,
        scopes.scope_type,
        scopes.scope_id,
        components.component,
        case when scope_sums.n_deals is null then 0 else scope_sums.value end as value,
        coalesce(scope_sums.value_so_far, 0) as value_so_far,
        cast(coalesce(scope_sums.n_deals, 0) as bigint) as n_deals,
        cast(coalesce(scope_sums.n_without_amount, 0) as bigint) as n_without_amount
    from forecasts
    cross join scopes
    cross join components
    left join scope_sums
        on
            forecasts.origin_no = scope_sums.origin_no
            and forecasts.horizon = scope_sums.horizon
            and scopes.scope_type = scope_sums.scope_type
            and scopes.scope_id = scope_sums.scope_id
            and components.component = scope_sums.component

)

select * from final

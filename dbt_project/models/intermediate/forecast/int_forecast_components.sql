with origins as (

    select * from {{ ref('int_forecast_origins') }}

),

parts as (

    select * from {{ ref('int_forecast_parts') }}

),

deals as (

    select * from {{ ref('int_forecast_deals') }}

),

orders as (

    select * from {{ ref('int_forecast_orders') }}

),

parameters as (

    select * from {{ ref('int_forecast_parameters') }}

),

forecasts as (

    -- three more than the backtest needs: what came after them is its simple baseline for the running month
    {{ forecasts_made('parameters.backtest_months + 3') }}

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
            sum(value) filter (where is_so_far) as value_so_far,
            count(*) as n_deals,
            count(*) filter (where amount_cny is null) as n_without_amount
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
        coalesce(scope_sums.n_deals, 0) as n_deals,
        coalesce(scope_sums.n_without_amount, 0) as n_without_amount
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

with sales as (

    select * from {{ ref('int_forecast_sales') }}

),

closings as (

    select
        rep_key,
        team_key,
        region,
        closed_month
    from {{ ref('int_forecast_deals') }}
    where closed_month is not null

),

{%- set scopes = {'company': "'company'", 'region': 'region', 'team': 'team_key', 'rep': 'rep_key'} %}

scope_starts as (
    {% for scope_type, scope_id in scopes.items() %}
        select
            '{{ scope_type }}' as scope_type,
            {{ scope_id }} as scope_id,
            min(closed_month) as first_month
        from closings
        group by {{ scope_id }}
        {{ "union all" if not loop.last }}
    {%- endfor %}

),

scope_sales as (
    {% for scope_type, scope_id in scopes.items() %}
        select
            '{{ scope_type }}' as scope_type,
            {{ scope_id }} as scope_id,
            sale_month as period_month,
            sum(amount_cny) as actual
        from sales
        group by {{ scope_id }}, sale_month
        {{ "union all" if not loop.last }}
    {%- endfor %}

),

-- a month without a sale after the first closed deal is a true zero; the running month is not over
scope_months as (

    select
        scope_type,
        scope_id,
        first_month,
        cast(unnest(generate_series(
            cast(first_month as timestamp),
            cast({{ local_month(as_of()) }} as timestamp) - interval 1 month,
            interval 1 month
        )) as date) as period_month
    from scope_starts

)

select
    scope_months.scope_type,
    scope_months.scope_id,
    scope_months.period_month,
    scope_months.first_month,
    coalesce(scope_sales.actual, 0) as actual
from scope_months
left join scope_sales
    on
        scope_months.scope_type = scope_sales.scope_type
        and scope_months.scope_id = scope_sales.scope_id
        and scope_months.period_month = scope_sales.period_month

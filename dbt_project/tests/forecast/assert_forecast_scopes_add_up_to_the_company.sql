-- Spec 5.2: regions, teams and reps each sum to the company's components, but for a cent of rounding per scope.
with sums as (

    select
        period_month,
        component,
        scope_type,
        sum(value) as value,
        sum(n_deals) as n_deals,
        count(*) as n_scopes
    from {{ ref('fct_forecast_component') }}
    group by period_month, component, scope_type

)

select
    parts.period_month,
    parts.component,
    parts.scope_type,
    parts.value,
    company.value as company_value
from sums as parts
inner join sums as company
    on
        parts.period_month = company.period_month
        and parts.component = company.component
        and company.scope_type = 'company'
where
    parts.n_deals <> company.n_deals
    or abs(coalesce(parts.value, 0) - coalesce(company.value, 0)) > 0.01 * parts.n_scopes

select
    '{{ var("run_id", "sql@" ~ var("as_of")) }}' as run_id,
    {{ local_date(as_of()) }} as as_of_date,
    period_month,
    horizon,
    scope_type,
    scope_id,
    component,
    cast(value as decimal(18, 2)) as value,
    n_deals,
    n_without_amount,
    {{ evidence_ref('fct_forecast_component', ['period_month', 'scope_type', 'scope_id', 'component']) }} as evidence_ref
from {{ ref('int_forecast_components') }}
where origin_no = 0

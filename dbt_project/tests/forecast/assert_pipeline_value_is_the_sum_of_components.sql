-- Spec 5.2: closed + existing + new + recurring, rounded once.
select
    forecasts.period_month,
    forecasts.scope_type,
    forecasts.scope_id,
    forecasts.pipeline_value,
    sum(components.value) as component_sum
from {{ ref('fct_forecast') }} as forecasts
inner join {{ ref('fct_forecast_component') }} as components using (period_month, scope_type, scope_id)
where forecasts.pipeline_value is not null
group by forecasts.period_month, forecasts.scope_type, forecasts.scope_id, forecasts.pipeline_value
having abs(forecasts.pipeline_value - sum(components.value)) > 0.03

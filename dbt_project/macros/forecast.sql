{#- One row per origin up to `last_origin_no` and horizon, with the month that is forecast; reads the CTEs `origins` and `parameters`. -#}
{% macro forecasts_made(last_origin_no) -%}
    select
        origins.*,
        cast(horizons.horizon as integer) as horizon,
        cast(origins.origin_month + to_months(cast(horizons.horizon as integer)) as date) as period_month
    from origins
    cross join parameters
    cross join unnest(generate_series(0, cast(parameters.max_horizon as bigint))) as horizons (horizon)
    where origins.origin_no <= {{ last_origin_no }}
{%- endmacro %}

-- FC-1: no forecast model names a field of ref_forecast_forbidden_input, in its code or in its columns.
-- depends_on: {{ ref('fct_forecast_backtest') }}
-- depends_on: {{ ref('fct_opportunity_score') }}
with forecast_code as (

    select
        '' as model_name,
        '' as code
    {%- if execute %}
    {%- for node in graph.nodes.values() if node.resource_type == 'model' and 'forecast' in node.fqn %}
    union all
    select
        '{{ node.name }}' as model_name,
        '{{ node.raw_code | lower | replace("'", "''") }}' as code
    {%- endfor %}
    {%- endif %}

),

forecast_columns as (

    select
        table_name as model_name,
        lower(column_name) as code
    from information_schema.columns
    where table_name like 'int_forecast%' or table_name like 'fct_forecast%' or table_name = 'fct_opportunity_score'

)

select
    found.model_name,
    forbidden.field,
    forbidden.reason
from (
    select * from forecast_code
    union all
    select * from forecast_columns
) as found
inner join {{ ref('ref_forecast_forbidden_input') }} as forbidden on contains(found.code, forbidden.field)

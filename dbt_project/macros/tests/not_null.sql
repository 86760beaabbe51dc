{#- dbt's own not_null selects the column, which is null; the whole row says which one it is. -#}
{% macro default__test_not_null(model, column_name) %}
select *
from {{ model }}
where {{ column_name }} is null
{% endmacro %}

{#- Reference of a figure that `goldthread explain` opens: 'marts/<table>/<key>', the key a JSON array as in record_ref. -#}
{% macro evidence_ref(table, columns) -%}
    'marts/{{ table }}/' || to_json([
        {%- for column in columns %}cast({{ column }} as varchar){{ ", " if not loop.last }}{% endfor -%}
    ])
{%- endmacro %}

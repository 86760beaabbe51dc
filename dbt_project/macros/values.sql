{#- '<source>/<stream>/<key>' of a landing row; the key is landing's own `_key`, a JSON array of the key's values. -#}
{% macro record_ref(source, stream) -%}
    '{{ source }}/{{ stream }}/' || _key
{%- endmacro %}

{#- numerator / denominator as DOUBLE; null, not zero, when there is nothing to divide by. -#}
{% macro ratio(numerator, denominator) -%}
    cast({{ numerator }} as double) / nullif({{ denominator }}, 0)
{%- endmacro %}

{#- First id of a JSON list; null for an empty or missing list. -#}
{% macro first_id(json_list) -%}
    json_extract_string({{ json_list }}, '$[0]')
{%- endmacro %}

{#- One bound of a threshold in ref_threshold: bound is lower_limit or upper_limit. -#}
{% macro threshold(code, bound) -%}
    (select max({{ bound }}) from {{ ref('ref_threshold') }} where threshold_code = '{{ code }}')
{%- endmacro %}

{#- Hours after which an alert rule fires, by the version of the rule that holds at as_of. -#}
{% macro alert_hours(rule_code) -%}
    (
        select max(threshold_value * case threshold_unit when 'days' then 24 else 1 end)
        from {{ ref('ref_alert_rule') }}
        where
            rule_code = '{{ rule_code }}'
            and valid_from <= {{ local_date(as_of()) }}
            and (valid_to is null or valid_to > {{ local_date(as_of()) }})
    )
{%- endmacro %}

{#- Value of the field titled `label` in a WeCom approval's apply_data, as text, whatever its control. -#}
{% macro approval_field(label) -%}
    list_filter(
        json_extract_string(
            list_filter(
                json_extract(apply_data, '$.contents[*]'),
                lambda item: json_extract_string(item, '$.title[0].text') = '{{ label }}'
            )[1],
            [
                '$.value.text',
                '$.value.new_money',
                '$.value.new_number',
                '$.value.selector.options[0].value[0].text'
            ]
        ),
        lambda found: found is not null
    )[1]
{%- endmacro %}

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

{#- One bound (lower_limit or upper_limit) of a threshold, by the version that holds on `day`, else at as_of. -#}
{% macro threshold(code, bound, day=none) -%}
    (
        select max(limits.{{ bound }})
        from {{ ref('ref_threshold') }} as limits
        where limits.threshold_code = '{{ code }}' and {{ holds_on('limits', day or local_date(as_of())) }}
    )
{%- endmacro %}

{#- Hours after which an alert rule fires, by the version of the rule that holds on `day`. -#}
{% macro alert_hours(rule_code, day) -%}
    (
        select max(rules.threshold_value * case rules.threshold_unit when 'days' then 24 else 1 end)
        from {{ ref('ref_alert_rule') }} as rules
        where rules.rule_code = '{{ rule_code }}' and {{ holds_on('rules', day) }}
    )
{%- endmacro %}

{#- Whether the version of a policy row holds on a day: `valid_to` is the first day on which it does not. -#}
{% macro holds_on(policy, day) -%}
    {{ policy }}.valid_from <= {{ day }} and ({{ policy }}.valid_to is null or {{ policy }}.valid_to > {{ day }})
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

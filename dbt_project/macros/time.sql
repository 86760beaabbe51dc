{#- "Now" of this run, a TIMESTAMPTZ: models never ask the machine's clock. -#}
{% macro as_of() -%}
    cast('{{ var("as_of") }}' as timestamptz)
{%- endmacro %}

{#- Calendar day in China of a TIMESTAMPTZ. -#}
{% macro local_date(moment) -%}
    cast(timezone('Asia/Shanghai', {{ moment }}) as date)
{%- endmacro %}

{#- TIMESTAMPTZ of 00:00 in China on a DATE. -#}
{% macro local_midnight(day) -%}
    timezone('Asia/Shanghai', cast({{ day }} as timestamp))
{%- endmacro %}

{#- First day of the month in China of a TIMESTAMPTZ. -#}
{% macro local_month(moment) -%}
    cast(date_trunc('month', timezone('Asia/Shanghai', {{ moment }})) as date)
{%- endmacro %}

{#- Elapsed time in hours, minutes or days as DOUBLE; null when either end is. -#}
{% macro hours_between(from_moment, to_moment) -%}
    ((epoch({{ to_moment }}) - epoch({{ from_moment }})) / 3600.0)
{%- endmacro %}

{% macro minutes_between(from_moment, to_moment) -%}
    ((epoch({{ to_moment }}) - epoch({{ from_moment }})) / 60.0)
{%- endmacro %}

{% macro days_between(from_moment, to_moment) -%}
    ((epoch({{ to_moment }}) - epoch({{ from_moment }})) / 86400.0)
{%- endmacro %}

{#- INTERVAL of so many days or hours, by the version of the threshold that holds on `day`. -#}
{% macro threshold_days(code, day) -%}
    to_days(cast({{ threshold(code, 'upper_limit', day) }} as integer))
{%- endmacro %}

{% macro threshold_hours(code, day) -%}
    to_hours(cast({{ threshold(code, 'upper_limit', day) }} as integer))
{%- endmacro %}

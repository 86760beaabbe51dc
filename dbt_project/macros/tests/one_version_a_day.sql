{#- Fails for each two versions of a policy row that hold on one day, and for a version without an author. -#}
{% test one_version_a_day(model, columns) %}
select {% for column in columns %}this_version.{{ column }}, {% endfor %}this_version.version
from {{ model }} as this_version
left join {{ model }} as other
    on
        this_version.version <> other.version
        and this_version.valid_from < coalesce(other.valid_to, date '9999-12-31')
        and other.valid_from < coalesce(this_version.valid_to, date '9999-12-31')
        {%- for column in columns %}
        and this_version.{{ column }} = other.{{ column }}
        {%- endfor %}
where other.version is not null or this_version.valid_from is null or this_version.author is null
union all
select {% for column in columns %}{{ column }}, {% endfor %}version
from {{ model }}
group by all
having count(*) > 1
{% endtest %}

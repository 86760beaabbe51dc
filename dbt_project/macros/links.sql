{#- The lasting ID of every source's key today; a row that still names a merged-away record follows it to the survivor. -#}
{% macro current_links(crosswalk, gid, kind) -%}
with crosswalk as (

    select * from {{ source('hub', crosswalk) }}

),

redirects as (

    select * from {{ ref('int_party_redirects') }}

),

current_links as (

    select
        source,
        source_key,
        {{ gid }}
    from crosswalk
    where is_current

),

redirected_links as (

    select
        redirects.source,
        redirects.source_key,
        current_links.{{ gid }}
    from redirects
    inner join current_links
        on
            redirects.source = current_links.source
            and redirects.survivor_key = current_links.source_key
    where
        redirects.kind = '{{ kind }}'
        and not exists (
            select 1 from current_links as own
            where own.source = redirects.source and own.source_key = redirects.source_key
        )

)

select * from current_links
union all
select * from redirected_links
{%- endmacro %}

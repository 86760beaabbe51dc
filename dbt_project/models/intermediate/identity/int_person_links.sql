with crosswalk as (

    select * from {{ source('hub', 'person_crosswalk') }}

),

redirects as (

    select * from {{ ref('int_party_redirects') }}

),

current_links as (

    select
        source,
        source_key,
        person_gid
    from crosswalk
    where is_current

),

-- rows that still name a merged-away contact follow it to the survivor
redirected_links as (

    select
        redirects.source,
        redirects.source_key,
        current_links.person_gid
    from redirects
    inner join current_links
        on
            redirects.source = current_links.source
            and redirects.survivor_key = current_links.source_key
    where
        redirects.kind = 'person'
        and not exists (
            select 1 from current_links as own
            where own.source = redirects.source and own.source_key = redirects.source_key
        )

)

select * from current_links
union all
select * from redirected_links

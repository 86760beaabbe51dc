with companies as (

    select * from {{ ref('stg_hubspot__companies') }}

),

contacts as (

    select * from {{ ref('stg_hubspot__contacts') }}

),

merged_away as (

    select
        'party' as kind,
        company_id as survivor_key,
        updated_at,
        unnest(string_split(merged_company_ids, ';')) as merged_id
    from companies
    where merged_company_ids is not null and not is_archived

    union all

    select
        'person' as kind,
        contact_id as survivor_key,
        updated_at,
        unnest(string_split(merged_contact_ids, ';')) as merged_id
    from contacts
    where merged_contact_ids is not null and not is_archived

),

latest as (

    select
        kind,
        'hubspot' as source,
        trim(merged_id) as source_key,
        survivor_key
    from merged_away
    where trim(merged_id) != '' and trim(merged_id) != survivor_key
    qualify row_number() over (partition by kind, trim(merged_id) order by updated_at desc, survivor_key asc) = 1

)

select * from latest

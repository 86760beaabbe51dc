with contacts as (

    select * from {{ ref('stg_hubspot__contacts') }}

),

redirects as (

    select * from {{ ref('int_party_redirects') }}

),

wecom_relations as (

    select * from {{ ref('stg_wecom__external_contacts') }}

),

file_persons as (

    select * from {{ ref('stg_files__persons') }}

),

live_contacts as (

    select
        contacts.* exclude (company_id),
        coalesce(company_redirects.survivor_key, contacts.company_id) as company_id
    from contacts
    left join redirects
        on
            contacts.contact_id = redirects.source_key
            and redirects.source = 'hubspot'
            and redirects.kind = 'person'
    left join redirects as company_redirects
        on
            contacts.company_id = company_redirects.source_key
            and company_redirects.source = 'hubspot'
            and company_redirects.kind = 'party'
    where redirects.source_key is null and not contacts.is_archived

),

wecom_contacts as (

    select
        external_user_id,
        first(contact_name order by added_at, user_id) filter (where contact_name is not null) as full_name,
        first(mobile order by added_at, user_id) filter (where mobile is not null) as mobile,
        first(position order by added_at, user_id) filter (where position is not null) as job_title,
        first(record_ref order by added_at, user_id) as record_ref,
        min(added_at) as created_at,
        max(added_at) as updated_at
    from wecom_relations
    group by external_user_id

),

unioned as (

    select
        'hubspot' as source,
        contact_id as source_key,
        company_id as party_source_key,
        full_name,
        mobile,
        phone,
        email,
        job_title,
        buying_role,
        created_at,
        updated_at,
        record_ref
    from live_contacts

    union all

    select
        'wecom' as source,
        external_user_id as source_key,
        external_user_id as party_source_key,
        full_name,
        mobile,
        null as phone,
        null as email,
        job_title,
        null as buying_role,
        created_at,
        updated_at,
        record_ref
    from wecom_contacts

    union all

    select
        source,
        person_id as source_key,
        party_id as party_source_key,
        full_name,
        mobile,
        phone,
        email,
        job_title,
        buying_role,
        created_at,
        created_at as updated_at,
        record_ref
    from file_persons

)

select * from unioned

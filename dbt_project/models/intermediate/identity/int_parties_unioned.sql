with companies as (

    select * from {{ ref('stg_hubspot__companies') }}

),

redirects as (

    select * from {{ ref('int_party_redirects') }}

),

erp_customers as (

    select * from {{ ref('stg_u8__customers') }}

),

wecom_relations as (

    select * from {{ ref('stg_wecom__external_contacts') }}

),

file_parties as (

    select * from {{ ref('stg_files__parties') }}

),

live_companies as (

    select companies.*
    from companies
    left join redirects
        on
            companies.company_id = redirects.source_key
            and redirects.source = 'hubspot'
            and redirects.kind = 'party'
    where redirects.source_key is null and not companies.is_archived

),

-- an external contact is one party, however many members follow it: the first relation that knows a value gives it
wecom_contacts as (

    select
        external_user_id,
        first(contact_name order by added_at, user_id) filter (where contact_name is not null) as contact_name,
        first(coalesce(corp_name, remark_corp_name) order by corp_name is null, added_at, user_id) filter (
            where corp_name is not null or remark_corp_name is not null
        ) as company_name,
        first(mobile order by added_at, user_id) filter (where mobile is not null) as mobile,
        first(user_id order by added_at, user_id) as owner_ref,
        first(record_ref order by added_at, user_id) as record_ref,
        min(added_at) as created_at,
        max(added_at) as updated_at
    from wecom_relations
    group by external_user_id

),

unioned as (

    select
        'hubspot' as source,
        company_id as source_key,
        company_name,
        tax_no,
        null as contact_name,
        null as mobile,
        phone,
        null as email,
        domain,
        province,
        city,
        address,
        industry,
        tier,
        null as parent_name,
        owner_id as owner_ref,
        created_at,
        updated_at,
        record_ref
    from live_companies

    union all

    select
        'u8' as source,
        customer_code as source_key,
        company_name,
        tax_no,
        contact_name,
        mobile,
        phone,
        email,
        null as domain,
        province,
        city,
        address,
        null as industry,
        null as tier,
        null as parent_name,
        person_code as owner_ref,
        {{ local_midnight('developed_date') }} as created_at,
        modified_at as updated_at,
        record_ref
    from erp_customers

    union all

    select
        'wecom' as source,
        external_user_id as source_key,
        company_name,
        null as tax_no,
        contact_name,
        mobile,
        null as phone,
        null as email,
        null as domain,
        null as province,
        null as city,
        null as address,
        null as industry,
        null as tier,
        null as parent_name,
        owner_ref,
        created_at,
        updated_at,
        record_ref
    from wecom_contacts

    union all

    select
        source,
        party_id as source_key,
        company_name,
        tax_no,
        contact_name,
        mobile,
        phone,
        email,
        domain,
        province,
        city,
        address,
        industry,
        tier,
        parent_name,
        owner_ref,
        created_at,
        updated_at,
        record_ref
    from file_parties

)

select * from unioned

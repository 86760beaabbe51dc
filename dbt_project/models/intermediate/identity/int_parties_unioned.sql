with companies as (

    select * from {{ ref('stg_hubspot__companies') }}

),

contacts as (

    select * from {{ ref('stg_hubspot__contacts') }}

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

-- a company is reached through its people (ID-1: tax number and contact mobile): the first one with a mobile speaks for it
first_contacts as (

    select
        company_id,
        first(full_name order by mobile is null, created_at, contact_id) as contact_name,
        first(mobile order by mobile is null, created_at, contact_id) as mobile,
        first(email order by email is null, created_at, contact_id) as email
    from contacts
    where company_id is not null and not is_archived
    group by company_id

),

named_relations as (

    select
        *,
        coalesce(remark_corp_name, corp_name, remark) as named,
        case when remark_corp_name is not null then 1 when corp_name is not null then 2 else 3 end as rank
    from wecom_relations

),

-- an external contact is one party, however many members follow it: the first relation that knows a value gives it
wecom_contacts as (

    select
        external_user_id,
        first(contact_name order by added_at, user_id) filter (where contact_name is not null) as contact_name,
        -- what a rep wrote down is the customer's name; what the contact calls the company may be a brand, and a bare
        -- remark ("公司-姓名") is split by the hub
        first(named order by rank, added_at, user_id) filter (where named is not null) as company_name,
        first(mobile order by added_at, user_id) filter (where mobile is not null) as mobile,
        first(user_id order by added_at, user_id) as owner_ref,
        first(record_ref order by added_at, user_id) as record_ref,
        min(added_at) as created_at,
        max(added_at) as updated_at
    from named_relations
    group by external_user_id

),

unioned as (

    select
        'hubspot' as source,
        live_companies.company_id as source_key,
        live_companies.company_name,
        live_companies.tax_no,
        first_contacts.contact_name,
        first_contacts.mobile,
        live_companies.phone,
        first_contacts.email,
        live_companies.domain,
        live_companies.province,
        live_companies.city,
        live_companies.address,
        live_companies.industry,
        live_companies.tier,
        null as parent_name,
        coalesce(parents.survivor_key, live_companies.parent_company_id) as parent_source_key,
        live_companies.owner_id as owner_ref,
        live_companies.created_at,
        live_companies.updated_at,
        live_companies.record_ref
    from live_companies
    left join first_contacts on live_companies.company_id = first_contacts.company_id
    -- a parent that was merged away is what it was merged into
    left join redirects as parents
        on
            live_companies.parent_company_id = parents.source_key
            and parents.source = 'hubspot'
            and parents.kind = 'party'

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
        head_customer_code as parent_source_key,
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
        null as parent_source_key,
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
        parent_party_id as parent_source_key,
        owner_ref,
        created_at,
        updated_at,
        record_ref
    from file_parties

)

select * from unioned

with parties as (

    select * from {{ ref('int_parties_unioned') }}

),

links as (

    select * from {{ ref('int_customer_links') }}

),

rep_crosswalk as (

    select * from {{ ref('int_rep_crosswalk') }}

),

-- the CRM's owner outranks the ERP's, then whoever was named last
owners as (

    select
        links.customer_gid,
        rep_crosswalk.rep_key
    from parties
    inner join links
        on
            parties.source = links.source
            and parties.source_key = links.source_key
    inner join rep_crosswalk
        on
            parties.source = rep_crosswalk.source
            and parties.owner_ref = rep_crosswalk.rep_ref
    qualify row_number() over (
        partition by links.customer_gid
        order by
            case parties.source when 'hubspot' then 1 when 'u8' then 2 when 'wecom' then 4 else 3 end asc,
            parties.updated_at desc nulls last,
            parties.source asc,
            parties.source_key asc
    ) = 1

)

select * from owners

with tickets as (

    select * from {{ ref('stg_hubspot__tickets') }}

),

links as (

    select * from {{ ref('int_customer_links') }}

),

rep_crosswalk as (

    select * from {{ ref('int_rep_crosswalk') }}

),

resolved as (

    select
        'hubspot:' || tickets.ticket_id as ticket_key,
        links.customer_gid,
        rep_crosswalk.rep_key,
        tickets.category,
        tickets.created_at,
        tickets.closed_at,
        tickets.record_ref
    from tickets
    left join links
        on
            links.source = 'hubspot'
            and tickets.company_id = links.source_key
    left join rep_crosswalk
        on
            rep_crosswalk.source = 'hubspot'
            and tickets.owner_id = rep_crosswalk.rep_ref
    where not tickets.is_archived

)

select * from resolved

with tasks as (

    select * from {{ ref('stg_hubspot__tasks') }}

),

opportunities as (

    select * from {{ ref('int_opportunities') }}

),

links as (

    select * from {{ ref('int_customer_links') }}

),

rep_crosswalk as (

    select * from {{ ref('int_rep_crosswalk') }}

),

requests as (

    select
        'hubspot:' || tasks.task_id as request_key,
        coalesce(links.customer_gid, opportunities.customer_gid) as customer_gid,
        opportunities.opportunity_key,
        rep_crosswalk.rep_key,
        tasks.request_department as department,
        tasks.created_at as requested_at,
        tasks.completed_at,
        tasks.record_ref
    from tasks
    left join opportunities on 'hubspot:' || tasks.deal_id = opportunities.opportunity_key
    left join links
        on
            links.source = 'hubspot'
            and tasks.company_id = links.source_key
    left join rep_crosswalk
        on
            rep_crosswalk.source = 'hubspot'
            and tasks.owner_id = rep_crosswalk.rep_ref
    where tasks.request_department in ('tech', 'legal', 'finance') and not tasks.is_archived

)

select * from requests

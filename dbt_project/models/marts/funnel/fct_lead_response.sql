with leads as (

    select * from {{ ref('int_leads') }}

),

orders as (

    select * from {{ ref('int_orders') }}

),

orders_of_opportunities as (

    select
        opportunity_key,
        list(record_ref order by record_ref) as order_refs
    from orders
    where opportunity_key is not null
    group by opportunity_key

),

timed as (

    select
        leads.*,
        orders_of_opportunities.order_refs,
        -- two systems stamp the two times: a little before is at once, earlier is another assignment
        case
            when leads.assigned_at >= leads.created_at then {{ minutes_between('leads.created_at', 'leads.assigned_at') }}
            when leads.assigned_at >= leads.created_at - to_minutes(
                cast({{ threshold('LD-12.clock', 'upper_limit', local_date('leads.created_at')) }} as integer)
            ) then 0
        end as allocation_minutes,
        {{ minutes_between('leads.created_at', 'leads.first_response_at') }} as response_minutes,
        -- how long the lead waited: for an answer, for the decision that made one needless, or until now
        {{ hours_between('leads.created_at', 'coalesce(leads.first_response_at, leads.decided_at, ' ~ as_of() ~ ')') }}
            as waited_hours,
        coalesce(leads.first_response_at, leads.decided_at) is not null as is_handled
    from leads
    left join orders_of_opportunities on leads.opportunity_key = orders_of_opportunities.opportunity_key

),

judged as (

    select

        ---------- ids
        lead_key,
        source,
        lead_id,
        customer_gid,
        person_gid,
        rep_key,
        team_key,
        opportunity_key,

        ---------- text
        region,
        lead_source,
        outcome,

        ---------- numerics
        allocation_minutes,
        response_minutes,
        response_minutes / 60.0 as response_hours,

        ---------- booleans
        first_response_at is not null as is_responded,
        case
            when waited_hours * 60 > {{ threshold('LD-1', 'upper_limit', local_date('timed.created_at')) }} then false
            when first_response_at is not null then true
        end as is_within_sla,
        case
            when waited_hours > {{ threshold('LD-2', 'upper_limit', local_date('timed.created_at')) }} then true
            when is_handled then false
        end as is_escalated,
        case
            when waited_hours > {{ threshold('LD-3', 'upper_limit', local_date('timed.created_at')) }} then false
            when first_response_at is not null then true
        end as is_within_experience_limit,
        case
            when waited_hours > {{ threshold('LD-4', 'upper_limit', local_date('timed.created_at')) }} then true
            when is_handled then false
        end as is_sleeping,
        opportunity_key is not null or outcome in ('converted', 'won') as is_converted,
        -- a source that has no orders says by its outcome that the lead ordered
        order_refs is not null or outcome = 'won' as is_ordered,
        order_refs is not null as has_erp_order,

        ---------- dates
        case when created_at <= {{ as_of() }} then {{ local_month('created_at') }} end as lead_month,

        ---------- timestamps
        created_at,
        assigned_at,
        first_response_at,
        decided_at,

        ---------- lineage
        response_ref,
        coalesce(order_refs, cast([] as varchar[])) as order_refs,
        record_ref

    from timed

)

select * from judged

with leads as (

    select * from {{ ref('int_leads') }}

),

orders as (

    select * from {{ ref('int_orders') }}

),

ordered_opportunities as (

    select distinct opportunity_key
    from orders
    where opportunity_key is not null

),

cohort as (

    select
        {{ local_month('leads.created_at') }} as lead_month,
        coalesce(leads.lead_source, '(unknown)') as lead_source,
        coalesce(leads.region, '(unknown)') as region,
        leads.opportunity_key is not null or leads.outcome in ('converted', 'won') as is_converted,
        -- a source that has no orders says by its outcome that the lead ordered
        ordered_opportunities.opportunity_key is not null or leads.outcome = 'won' as is_ordered,
        ordered_opportunities.opportunity_key is not null as has_erp_order
    from leads
    left join ordered_opportunities on leads.opportunity_key = ordered_opportunities.opportunity_key
    where leads.created_at <= {{ as_of() }}

),

counted as (

    select
        lead_month,
        case when grouping(lead_source) = 0 then lead_source else 'all' end as lead_source,
        case when grouping(region) = 0 then region else 'all' end as region,
        count(*) as n_leads,
        count(*) filter (where is_converted) as n_converted,
        count(*) filter (where is_ordered) as n_ordered,
        count(*) filter (where has_erp_order) as n_with_erp_order
    from cohort
    group by grouping sets (
        (lead_month),
        (lead_month, lead_source),
        (lead_month, region),
        (lead_month, lead_source, region)
    )

),

rated as (

    select
        *,
        {{ ratio('n_converted', 'n_leads') }} as opportunity_ratio,
        {{ ratio('n_ordered', 'n_leads') }} as order_ratio
    from counted

)

select * from rated

with leads as (

    select
        *,
        coalesce(lead_source, '(unknown)') as lead_source_name,
        coalesce(region, '(unknown)') as region_name
    from {{ ref('fct_lead_response') }}
    where lead_month is not null

),

counted as (

    select
        lead_month,
        case when grouping(lead_source_name) = 0 then lead_source_name else 'all' end as lead_source,
        case when grouping(region_name) = 0 then region_name else 'all' end as region,
        count(*) as n_leads,
        count(*) filter (where is_converted) as n_converted,
        count(*) filter (where is_ordered) as n_ordered,
        count(*) filter (where has_erp_order) as n_with_erp_order
    from leads
    group by grouping sets (
        (lead_month),
        (lead_month, lead_source_name),
        (lead_month, region_name),
        (lead_month, lead_source_name, region_name)
    )

),

rated as (

    select
        *,
        {{ ratio('n_converted', 'n_leads') }} as opportunity_ratio,
        {{ ratio('n_ordered', 'n_leads') }} as order_ratio
    from counted

),

compared as (

    select
        rated.*,
        rated.order_ratio - year_before.order_ratio as change_to_year_before,
        {{ threshold('FU-7.yoy', 'lower_limit', 'rated.lead_month') }} as target_change
    from rated
    left join rated as year_before
        on
            rated.lead_source = year_before.lead_source
            and rated.region = year_before.region
            and rated.lead_month - interval 1 year = year_before.lead_month

),

final as (

    select
        *,
        change_to_year_before >= target_change as is_on_target,
        {{ evidence_ref('fct_lead_conversion', ['lead_month', 'lead_source', 'region']) }} as evidence_ref
    from compared

)

select * from final

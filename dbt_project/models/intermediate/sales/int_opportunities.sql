with deals as (

    select * from {{ ref('stg_hubspot__deals') }}

),

contacts as (

    select * from {{ ref('stg_hubspot__contacts') }}

),

file_opportunities as (

    select * from {{ ref('stg_files__opportunities') }}

),

stage_map as (

    select * from {{ ref('ref_stage_map') }}

),

stages as (

    select * from {{ ref('ref_stage') }} as versions
    where {{ holds_on('versions', local_date(as_of())) }}

),

rates as (

    select * from {{ ref('int_exchange_rates') }}

),

links as (

    select * from {{ ref('int_customer_links') }}

),

golden_customers as (

    select * from {{ source('hub', 'golden_customers') }}

),

rep_crosswalk as (

    select * from {{ ref('int_rep_crosswalk') }}

),

reps as (

    select * from {{ ref('int_reps') }}

),

lead_crosswalk as (

    select * from {{ ref('int_lead_crosswalk') }}

),

crm_leads as (

    select * from {{ ref('stg_hubspot__leads') }}

),

converted_leads as (

    select
        crm_leads.converted_deal_id as deal_id,
        min(lead_crosswalk.lead_key) as lead_key
    from crm_leads
    inner join lead_crosswalk
        on
            crm_leads.lead_id = lead_crosswalk.lead_id
            and lead_crosswalk.source = 'hubspot'
    where crm_leads.converted_deal_id is not null
    group by crm_leads.converted_deal_id

),

unioned as (

    select
        'hubspot' as source,
        deals.deal_id as opportunity_id,
        deals.deal_name as opportunity_name,
        coalesce(deals.company_id, contacts.company_id) as party_source_key,
        deals.owner_id as owner_ref,
        deals.product_line,
        deals.raw_pipeline,
        deals.raw_stage,
        'hubspot' as map_source,
        deals.amount,
        coalesce(deals.currency, 'CNY') as currency,
        deals.standard_amount,
        deals.created_at,
        deals.close_at,
        deals.lost_reason,
        deals.lead_id,
        converted_leads.lead_key as converted_lead_key,
        deals.contract_no,
        deals.record_ref
    from deals
    left join contacts on deals.contact_id = contacts.contact_id
    left join converted_leads on deals.deal_id = converted_leads.deal_id
    where not deals.is_archived

    union all

    select
        source,
        opportunity_id,
        opportunity_name,
        party_id as party_source_key,
        owner_ref,
        product_line,
        coalesce(pipeline, 'generic') as raw_pipeline,
        stage as raw_stage,
        'files' as map_source,
        amount,
        coalesce(currency, 'CNY') as currency,
        null as standard_amount,
        created_at,
        closed_at as close_at,
        null as lost_reason,
        lead_id,
        null as converted_lead_key,
        null as contract_no,
        record_ref
    from file_opportunities

),

staged as (

    select
        unioned.*,
        coalesce(stage_map.pipeline, unioned.raw_pipeline) as pipeline,
        coalesce(stage_map.stage, unioned.raw_stage) as stage
    from unioned
    left join stage_map
        on
            unioned.map_source = stage_map.source
            and unioned.raw_pipeline = stage_map.raw_pipeline
            and unioned.raw_stage = stage_map.raw_stage

),

opportunities as (

    select
        staged.source || ':' || staged.opportunity_id as opportunity_key,
        staged.source,
        staged.opportunity_id,
        staged.opportunity_name,
        links.customer_gid,
        rep_crosswalk.rep_key,
        reps.team_key,
        reps.region,
        staged.product_line,
        golden_customers.industry,
        staged.pipeline,
        staged.stage,
        staged.amount,
        staged.currency,
        cast(staged.amount * rates.rate_to_cny as decimal(18, 2)) as amount_cny,
        cast(staged.standard_amount * rates.rate_to_cny as decimal(18, 2)) as standard_amount_cny,
        staged.created_at,
        case when not coalesce(stages.is_won or stages.is_lost, false) then staged.close_at end as expected_close_at,
        case when stages.is_won or stages.is_lost then staged.close_at end as closed_at,
        coalesce(stages.is_won or stages.is_lost, false) as is_closed,
        coalesce(stages.is_won, false) as is_won,
        staged.lost_reason,
        coalesce(lead_crosswalk.lead_key, staged.converted_lead_key) as lead_key,
        staged.contract_no,
        staged.record_ref
    from staged
    left join stages
        on
            staged.pipeline = stages.pipeline
            and staged.stage = stages.stage
    left join rates
        on
            staged.currency = rates.currency
            and {{ local_date(as_of()) }} >= rates.valid_from
            and {{ local_date(as_of()) }} < rates.valid_to
    left join links
        on
            staged.source = links.source
            and staged.party_source_key = links.source_key
    left join golden_customers on links.customer_gid = golden_customers.customer_gid
    left join rep_crosswalk
        on
            staged.source = rep_crosswalk.source
            and staged.owner_ref = rep_crosswalk.rep_ref
    left join reps on rep_crosswalk.rep_key = reps.rep_key
    left join lead_crosswalk
        on
            staged.source = lead_crosswalk.source
            and staged.lead_id = lead_crosswalk.lead_id

)

select * from opportunities

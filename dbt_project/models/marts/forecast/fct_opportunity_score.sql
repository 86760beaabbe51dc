with win_chances as (

    select * from {{ ref('int_forecast_win_chances') }}
    where origin_no = 0

),

deals as (

    select * from {{ ref('int_forecast_deals') }}

),

by_deal as (

    select
        opportunity_key,
        any_value(stage) as stage,
        any_value(age_days) as age_days,
        any_value(age_bucket) as age_bucket,
        any_value(zombie_age_days) as zombie_age_days,
        any_value(is_zombie) as is_zombie,
        any_value(amount_cny) as amount_cny,
        any_value(amount_basis) as amount_basis,
        max(p_win) filter (where horizon = 0) as p_win_m0,
        max(p_win) filter (where horizon = 1) as p_win_m1,
        max(p_win) filter (where horizon = 2) as p_win_m2,
        sum(p_win order by horizon) as p_win,
        any_value(fallback_level) filter (where horizon = 0) as fallback_level,
        any_value(hazards) filter (where horizon = 0) as hazards
    from win_chances
    group by opportunity_key

),

final as (

    select
        ---------- ids
        {{ local_date(as_of()) }} as as_of_date,
        deals.opportunity_key,
        deals.rep_key,
        deals.team_key,
        deals.region,
        deals.industry,
        deals.pipeline,
        by_deal.stage,

        ---------- numerics
        by_deal.p_win_m0,
        by_deal.p_win_m1,
        by_deal.p_win_m2,
        by_deal.p_win,
        by_deal.amount_cny,
        by_deal.amount_basis,
        cast(by_deal.p_win * by_deal.amount_cny as decimal(18, 2)) as expected_amount_cny,
        cast(by_deal.age_days as decimal(18, 2)) as age_days,
        by_deal.age_bucket,
        cast(by_deal.zombie_age_days as decimal(18, 2)) as zombie_age_days,

        ---------- basis
        coalesce(by_deal.is_zombie, false) as is_zombie,
        coalesce(by_deal.fallback_level, 'none') as fallback_level,
        case
            when not deals.is_dated then 'no date of creation: the age is unknown'
            when by_deal.opportunity_key is null then 'no month of history to learn from'
            when by_deal.is_zombie then 'older than nearly every deal that ever closed'
        end as note,
        by_deal.hazards,
        deals.record_ref,
        {{ evidence_ref('fct_opportunity_score', ['deals.opportunity_key']) }} as evidence_ref
    from deals
    left join by_deal on deals.opportunity_key = by_deal.opportunity_key
    where not deals.is_closed

)

select * from final

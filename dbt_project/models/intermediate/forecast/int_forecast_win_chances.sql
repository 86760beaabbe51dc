with snapshots as (

    select * from {{ ref('int_forecast_snapshots') }}

),

hazards as (

    select * from {{ ref('int_forecast_hazards') }}

),

parameters as (

    select * from {{ ref('int_forecast_parameters') }}

),

-- every forecast has a base rate unless nothing is old enough to learn from
counted as (

    select
        snapshots.*,
        base.horizon,
        parameters.shrinkage_k as k,
        base.n_deals as base_n,
        base.n_won as base_won,
        coalesce(stages.n_deals, 0) as stage_n,
        coalesce(stages.n_won, 0) as stage_won,
        coalesce(company.n_deals, 0) as company_n,
        coalesce(company.n_won, 0) as company_won,
        coalesce(industries.n_deals, 0) as industry_n,
        coalesce(industries.n_won, 0) as industry_won,
        coalesce(teams.n_deals, 0) as team_n,
        coalesce(teams.n_won, 0) as team_won,
        coalesce(reps.n_deals, 0) as rep_n,
        coalesce(reps.n_won, 0) as rep_won
    from snapshots
    cross join parameters
    inner join hazards as base
        on
            snapshots.origin_no = base.origin_no
            and base.hazard_level = 'base'
    left join hazards as stages
        on
            stages.hazard_level = 'stage'
            and base.origin_no = stages.origin_no
            and base.horizon = stages.horizon
            and snapshots.pipeline = stages.pipeline
            and snapshots.stage = stages.stage
    {%- for alias, level, member in [
        ('company', 'company', none), ('industries', 'industry', 'industry'), ('teams', 'team', 'team_key'), ('reps', 'rep', 'rep_key')
    ] %}
        left join hazards as {{ alias }}
            on
                {{ alias }}.hazard_level = '{{ level }}'
                and base.origin_no = {{ alias }}.origin_no
                and base.horizon = {{ alias }}.horizon
                and snapshots.pipeline = {{ alias }}.pipeline
                and snapshots.stage = {{ alias }}.stage
                and snapshots.age_bucket = {{ alias }}.age_bucket
                {%- if member %}
                    and snapshots.{{ member }} = {{ alias }}.member
                {%- endif %}
    {%- endfor %}

),

-- each level's rate is shrunk towards the level above: base, stage, stage x age, then industry, team, rep within that
shrunk_stage as (

    select
        *,
        (stage_won + k * base_won / base_n) / (stage_n + k) as stage_rate
    from counted

),

shrunk_company as (

    select
        *,
        (company_won + k * stage_rate) / (company_n + k) as company_rate
    from shrunk_stage

),

shrunk_industry as (

    select
        *,
        (industry_won + k * company_rate) / (industry_n + k) as industry_rate
    from shrunk_company

),

shrunk_team as (

    select
        *,
        (team_won + k * industry_rate) / (team_n + k) as team_rate
    from shrunk_industry

),

shrunk_rep as (

    select
        *,
        (rep_won + k * team_rate) / (rep_n + k) as rep_rate
    from shrunk_team

),

-- the months are estimated one by one; together they cannot exceed certainty
final as (

    select
        origin_no,
        opportunity_key,
        horizon,
        rep_key,
        team_key,
        region,
        pipeline,
        stage,
        age_bucket,
        age_days,
        zombie_age_days,
        is_zombie,
        amount_cny,
        amount_basis,
        case
            when is_zombie then 0
            else rep_rate / greatest(1, sum(rep_rate) over (partition by origin_no, opportunity_key))
        end as p_win,
        case
            when rep_n >= k then 'rep'
            when team_n >= k then 'team'
            when industry_n >= k then 'industry'
            when company_n >= k then 'company'
            when stage_n >= k then 'stage'
            else 'base'
        end as fallback_level,
        format(
            'rep {}/{}, team {}/{}, industry {}/{}, company {}/{}, stage {}/{}, base {}/{}',
            rep_won,
            rep_n,
            team_won,
            team_n,
            industry_won,
            industry_n,
            company_won,
            company_n,
            stage_won,
            stage_n,
            base_won,
            base_n
        ) as hazards
    from shrunk_rep

)

select * from final

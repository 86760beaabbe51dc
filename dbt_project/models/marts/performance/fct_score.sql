with items as (

    select * from {{ ref('fct_score_item') }}

),

schemes as (

    select * from {{ ref('ref_score_scheme') }}

),

clock as (

    select timezone('Asia/Shanghai', {{ as_of() }}) as as_of_local

),

summed as (

    select
        period_month,
        rep_key,
        team_key,
        scheme,
        scheme_version,
        template,
        sum(points) as total_points,
        sum(points) filter (where component = 'result') as result_points,
        sum(points) filter (where component = 'process') as process_points,
        sum(points) filter (where component = 'quality') as quality_points,
        coalesce(sum(weight) filter (where not is_missing), 0) as coverage,
        string_agg(item, ', ' order by item) filter (where is_missing) as missing_items
    from items
    group by period_month, rep_key, team_key, scheme, scheme_version, template

),

judged as (

    select
        summed.*,
        schemes.min_coverage,
        summed.coverage >= schemes.min_coverage as is_published
    from summed
    inner join schemes on summed.scheme = schemes.scheme and summed.scheme_version = schemes.version

),

final as (

    select
        ---------- ids
        judged.period_month,
        judged.rep_key,
        judged.team_key,
        judged.scheme,
        judged.scheme_version,
        judged.template,

        ---------- numerics
        cast(case when judged.is_published then judged.total_points end as decimal(9, 4)) as total,
        cast(judged.result_points as decimal(9, 4)) as result_points,
        cast(judged.process_points as decimal(9, 4)) as process_points,
        cast(judged.quality_points as decimal(9, 4)) as quality_points,
        cast(judged.coverage as decimal(9, 4)) as coverage,
        cast(case when judged.is_published then 100 - judged.total_points end as decimal(9, 4)) as gap_to_target,
        case
            when judged.is_published
                then
                    rank() over (
                        partition by judged.period_month, judged.scheme, judged.is_published
                        order by cast(judged.total_points as decimal(9, 4)) desc
                    )
        end as score_rank,

        ---------- state
        judged.is_published,
        case
            when not judged.is_published
                then format(
                    'coverage {:.2f} is below {:.2f}; missing: {}',
                    cast(judged.coverage as double), cast(judged.min_coverage as double), judged.missing_items
                )
        end as unpublished_reason,
        judged.period_month + interval 1 month <= clock.as_of_local as is_period_complete,

        ---------- evidence
        {{ evidence_ref('fct_score', ['judged.period_month', 'judged.rep_key', 'judged.scheme']) }} as evidence_ref
    from judged
    cross join clock

)

select * from final

with candidates as (

    select * from {{ ref('int_rep_candidates') }}

),

crosswalk as (

    select * from {{ ref('int_rep_crosswalk') }}

),

known_reps as (

    select
        rep_key,
        first(full_name order by precedence, rep_ref) filter (where full_name is not null) as full_name,
        first(email order by precedence, rep_ref) filter (where email is not null) as email,
        first(mobile order by precedence, rep_ref) filter (where mobile is not null) as mobile,
        first(team_key order by precedence, rep_ref) filter (where team_key is not null) as team_key,
        first(team_name order by precedence, rep_ref) filter (where team_key is not null) as team_name,
        first(region order by precedence, rep_ref) filter (where region is not null) as region,
        first(manager_name order by precedence, rep_ref) filter (where manager_name is not null) as manager_name,
        coalesce(first(role order by precedence, rep_ref) filter (where role is not null), 'rep') as role,
        coalesce(first(is_active order by precedence, rep_ref) filter (where is_active is not null), true) as is_active,
        first(record_ref order by precedence, rep_ref) as record_ref
    from candidates
    group by rep_key

),

-- a file names an owner that no system lists: a rep of whom only the reference is known
referenced_reps as (

    select
        crosswalk.rep_key,
        min(crosswalk.rep_ref) as full_name,
        null as email,
        null as mobile,
        null as team_key,
        null as team_name,
        null as region,
        null as manager_name,
        'rep' as role,
        true as is_active,
        null as record_ref
    from crosswalk
    left join known_reps on crosswalk.rep_key = known_reps.rep_key
    where known_reps.rep_key is null
    group by crosswalk.rep_key

)

select * from known_reps
union all
select * from referenced_reps

with reps as (

    select * from {{ ref('int_reps') }}

),

teams as (

    select
        team_key,
        min(team_name) as team_name,
        min(region) as region,
        min(manager_name) as manager_name,
        count(*) filter (where role = 'rep' and is_active) as n_active_reps
    from reps
    where team_key is not null
    group by team_key

)

select * from teams

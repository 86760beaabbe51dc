with users as (

    select * from {{ ref('stg_wecom__users') }}

),

departments as (

    select * from {{ ref('int_departments') }}

),

owners as (

    select * from {{ ref('stg_hubspot__owners') }}

),

erp_persons as (

    select * from {{ ref('stg_u8__persons') }}

),

file_reps as (

    select * from {{ ref('stg_files__reps') }}

),

managers as (

    select
        departments.team_id,
        min(users.full_name) as manager_name
    from users
    inner join departments on users.department_id = departments.department_id
    where users.is_leader and departments.team_id is not null
    group by departments.team_id

),

unioned as (

    select
        'wecom' as source,
        users.user_id as rep_ref,
        1 as precedence,
        users.full_name,
        users.email,
        users.mobile,
        'wecom:' || departments.team_id as team_key,
        departments.team_name,
        departments.region,
        managers.manager_name,
        case
            when not users.is_leader then 'rep'
            when departments.team_id is not null then 'manager'
            else 'director'
        end as role,
        users.is_active,
        users.record_ref
    from users
    left join departments on users.department_id = departments.department_id
    left join managers on departments.team_id = managers.team_id

    union all

    select
        'hubspot' as source,
        owner_id as rep_ref,
        2 as precedence,
        full_name,
        email,
        null as mobile,
        null as team_key,
        null as team_name,
        null as region,
        null as manager_name,
        null as role,
        not is_archived as is_active,
        record_ref
    from owners

    union all

    select
        'u8' as source,
        person_code as rep_ref,
        3 as precedence,
        full_name,
        email,
        mobile,
        null as team_key,
        null as team_name,
        null as region,
        null as manager_name,
        null as role,
        null as is_active,
        record_ref
    from erp_persons

    union all

    select
        source,
        rep_id as rep_ref,
        4 as precedence,
        full_name,
        email,
        mobile,
        source || ':' || team_name as team_key,
        team_name,
        region,
        manager_name,
        null as role,
        null as is_active,
        record_ref
    from file_reps

),

-- the e-mail address is the one thing that every system knows of a rep
identified as (

    select
        *,
        coalesce(nullif(email, ''), source || ':' || rep_ref) as identity
    from unioned

),

keyed as (

    select
        *,
        first(source || ':' || rep_ref) over (partition by identity order by precedence, source, rep_ref) as rep_key
    from identified

)

select * from keyed

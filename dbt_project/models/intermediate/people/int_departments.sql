with recursive departments as (

    select * from {{ ref('stg_wecom__departments') }}

),

-- root -> regions -> teams; whatever hangs below a team belongs to it
tree as (

    select
        department_id,
        0 as depth,
        cast(null as varchar) as region,
        cast(null as varchar) as team_id,
        cast(null as varchar) as team_name
    from departments
    where
        parent_id is null
        or parent_id not in (select known.department_id from departments as known)

    union all

    select
        departments.department_id,
        tree.depth + 1 as depth,
        case when tree.depth = 0 then departments.department_name else tree.region end as region,
        case when tree.depth = 1 then departments.department_id else tree.team_id end as team_id,
        case when tree.depth = 1 then departments.department_name else tree.team_name end as team_name
    from departments
    inner join tree on departments.parent_id = tree.department_id

)

select * from tree

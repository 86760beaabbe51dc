with source as (

    select * from {{ source('u8', 'products') }}

),

renamed as (

    select

        ---------- ids
        cInvCode as product_code,

        ---------- text
        cInvName as product_name,
        cInvStd as specification,
        cInvCCode as product_line,

        ---------- numerics
        cast(iInvSPrice as decimal(18, 2)) as standard_price,

        ---------- versions
        ufts as row_version,

        ---------- lineage
        {{ record_ref('u8', 'products') }} as record_ref,
        _extracted_at as extracted_at

    from source

)

select * from renamed

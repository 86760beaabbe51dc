with source as (

    select * from {{ source('u8', 'customers') }}

),

renamed as (

    select

        ---------- ids
        cCusCode as customer_code,
        cCusPPerson as person_code,
        cCCCode as customer_class,
        -- U8 enters a customer's own code where nobody names a head
        nullif(cCusHeadCode, cCusCode) as head_customer_code,

        ---------- text
        cCusName as company_name,
        cCusAbbName as short_name,
        cCusRegCode as tax_no,
        cCusPerson as contact_name,
        cCusHand as mobile,
        cCusPhone as phone,
        cCusEmail as email,
        cCusAddress as address,
        cProvince as province,
        cCity as city,

        ---------- dates
        dCusDevDate as developed_date,
        dModifyDate as modified_at,

        ---------- versions
        ufts as row_version,

        ---------- lineage
        {{ record_ref('u8', 'customers') }} as record_ref,
        _extracted_at as extracted_at

    from source

)

select * from renamed

"""Words of Chinese and English company names: legal forms, group words, branches, weak industry words."""

_LEGAL = (
    "股份有限责任公司 集团股份有限公司 控股集团有限公司 集团控股有限公司 集团有限责任公司 控股有限责任公司 有限责任公司 股份有限公司 集团有限公司 "
    "控股有限公司 有限公司 股份公司 总公司 集团公司 公司 有限合伙企业 有限合伙 特殊普通合伙 普通合伙 合伙企业 专业合作社 合作社 联社 "
    "农民专业合作社 个人独资企业 有限责任 个体工商户 商行 经营部 工作室"
)
_GROUP = "集团 控股 股份 总部 企业集团 国际集团 实业集团 国际控股 投资集团 投资控股"
_BRANCH = "分公司 子公司 分行 支行 营业部 营业厅 办事处 代表处 分厂 分店 分部 分社 分院 门市部"
_INDUSTRY = """
科技 技术 信息 信息技术 信息科技 网络 网络科技 网络技术 软件 数据 智能 智能科技 智能装备 智能制造 电子 电子科技 电子商务 电子信息 光电 光电子 半导体 微电子 通信 通讯
电气 电器 电力 电力设备 电机 电缆 电源 新能源 能源 环保 环境 环保科技 节能 机械 机械设备 机械制造 机床 数控 数控机床 机电 机电设备 机器人 自动化 自动化设备 自动化科技 装备 设备 精密 精密机械
精密制造 制造 重工 工业 重型机械 仪器 仪器仪表 仪表 检测 检测技术 模具 五金 五金制品 金属 金属制品 钢铁 钢结构 有色金属 材料 新材料 复合材料 化工 化学 塑料 塑业 塑胶 橡胶 橡塑
包装 印刷 纸业 造纸 纺织 服装 服饰 家居 家具 建材 建筑 建设 建筑工程 工程 装饰 装饰工程 置业 房地产 地产 物业 园林 水泥 玻璃 陶瓷 汽车 汽车零部件 汽车部件 汽配 零部件 车业 船舶 航空
航天 轨道交通 铁路 交通 物流 供应链 供应链管理 运输 航运 港口 仓储 输送 输送设备 输送系统 农业 农业科技 牧业 渔业 食品 饮料 酒业 乳业 粮油 糖业 餐饮 餐饮管理 医药 药业 制药 生物 生物科技
生物技术 生物医药 医疗 医疗器械 医疗科技 健康 健康科技 大健康 医院 教育 教育科技 文化 文化传媒 文化传播 传媒 广告 影视 旅游 酒店 体育 娱乐 游戏 金融 银行 证券 保险 租赁 融资租赁 信托 基金
资产管理 资本 资本管理 投资 投资管理 投资发展 创业投资 咨询 管理咨询 企业管理 管理 服务 商贸 贸易 国际贸易 进出口 商业 百货 零售 超市 连锁 实业 实业发展 实业投资 发展 开发 产业 国际 企业 事业 产品 制品 系统
系统工程 集成 研究院 研究所 设计院 设计 矿业 煤业 煤炭 石油 石化 天然气 燃气 水务 水利 热力 电站 安防 安全 照明 光学 激光 传动 轴承 泵业 阀门 液压 锅炉 压缩机 风电 光伏 太阳能 锂电 电池 储能 工贸 总厂 厂
"""
_LATIN_LEGAL = (
    "incorporated inc limited ltd llc llp lp gmbh ag kg kgaa ohg ug co company corp corporation plc sa sas sarl bv nv oy oyj ab as "
    "spa srl pte pty bhd sdn se kk the"
)
_LATIN_WEAK = (
    "services service group international holdings holding technologies technology tech systems solutions industries industrial "
    "enterprises trading global partners associates association center centre shop store inc"
)
_SURNAMES = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎余潘杜戴夏钟汪田任姜范方石姚谭廖邹熊金陆郝孔白崔康毛邱秦江史顾侯邵孟龙万段雷钱汤尹黎易常武乔贺赖龚文庞"
#: state firms and banks that everybody writes short
ABBREVIATIONS = {
    "工行": "工商银行", "农行": "农业银行", "中行": "中国银行", "建行": "建设银行", "交行": "交通银行", "招行": "招商银行",
    "中石化": "中国石油化工", "中石油": "中国石油天然气", "国网": "国家电网", "中移动": "中国移动",
}  # fmt: skip


def _alternatives(text: str) -> str:
    return "|".join(sorted(set(text.split()), key=lambda word: (-len(word), word)))


LEGAL_FORMS = _alternatives(_LEGAL)
GROUP_WORDS = _alternatives(_GROUP)
BRANCH_WORDS = _alternatives(_BRANCH)
INDUSTRY_WORDS = _alternatives(_INDUSTRY)
LATIN_LEGAL_FORMS = _alternatives(_LATIN_LEGAL)
LATIN_WEAK_WORDS = _alternatives(_LATIN_WEAK)
SURNAMES = _SURNAMES
NOTES = "老客户|新客户|大客户|重点客户|潜在客户|意向客户|重要客户|客户|重点|vip|已成交|已合作|合作中|停用|已停用|勿用|作废|重复|备用|原名.*|曾用名.*|新|旧|老|测试|test|待跟进|跟进中|已签|已流失|展会|名片"
